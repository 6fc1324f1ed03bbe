package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 16 << 20

// decoder turns a file into entries. It goes on after a fault, so that all
// are seen at once.
type decoder struct {
	path   string
	lines  []string
	faults []error
}

// lineEnds turns all that YAML takes for the end of a line into one.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// decodeFile reads the settings of a YAML file: one mapping from the names of
// settings to their values. It is strict: unknown keys, keys given twice,
// anchors, tags and several documents are faults.
func decodeFile(path string, content []byte) ([]entry, []error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	d := &decoder{path: path, lines: strings.Split(lineEnds.Replace(string(content)), "\n")}
	if len(content) > maxFile {
		d.fault("", nil, fmt.Sprintf("the file has %d bytes, %d at most", len(content), maxFile))
		return nil, d.faults
	}
	tree, err := parse(content)
	if err != nil {
		d.syntax(err)
		return nil, d.faults
	}
	return d.document(tree), d.faults
}

// parse is the library's parser; what makes it panic is an error.
func parse(content []byte) (tree *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("this is not YAML")
		}
	}()
	return parser.ParseBytes(content, 0, parser.AllowDuplicateMapKey())
}

func (d *decoder) document(tree *ast.File) []entry {
	var body ast.Node
	for _, doc := range tree.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			d.fault("", doc.Body, "a second document begins here; the file must be one")
		default:
			body = doc.Body
		}
	}
	switch body.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil
	}
	var entries []entry
	d.mapping("", body, settingNames(), func(key string, pair *ast.MappingValueNode) {
		s, _ := lookup(key)
		if s.NoFile {
			d.fault(key, pair.Key, "this can't stand in the file; use "+s.Flag()+" or "+s.Variable())
			return
		}
		e := entry{setting: s, origin: Origin{File: d.path, Line: line(pair.Key)}}
		if s.FileOnly {
			e.late = s.field.node(d, pair.Value)
		} else {
			e.values = d.values(s, pair.Value)
			if e.values == nil && !s.Repeatable() {
				return
			}
		}
		entries = append(entries, e)
	})
	return entries
}

// mapping calls each for the pairs of node whose key is one of known, once
// each; other pairs are faults.
func (d *decoder) mapping(within string, node ast.Node, known []string, each func(key string, pair *ast.MappingValueNode)) {
	m, ok := node.(*ast.MappingNode)
	if !ok {
		d.fault(within, node, "key: value pairs are wanted here, not "+describe(node))
		return
	}
	seen := map[string]int{}
	for _, pair := range m.Values {
		name, ok := pair.Key.(*ast.StringNode)
		switch {
		case !ok:
			d.fault(within, pair.Key, "a plain word is wanted as key, not "+describe(pair.Key))
		case !slices.Contains(known, name.Value):
			d.fault(within, pair.Key, "unknown key "+quote(name.Value)+"."+meant(name.Value, known))
		case seen[name.Value] > 0:
			d.fault(within, pair.Key, fmt.Sprintf("%s was given in line %d already; keep one", name.Value, seen[name.Value]))
		default:
			seen[name.Value] = line(pair.Key)
			each(name.Value, pair)
		}
	}
}

// meant suggests a known key, or says where all stand.
func meant(key string, known []string) string {
	if hint := didYouMean(key, known); hint != "" {
		return hint
	}
	if len(known) < 8 {
		return " Known: " + strings.Join(known, ", ")
	}
	return " All of them: holdfast config"
}

// list returns the items of a list of mappings with the keys that wanted
// names; nothing at all is an empty list. It is false after a fault.
func (d *decoder) list(key string, node ast.Node, wanted string, most int) ([]ast.Node, bool) {
	if _, ok := node.(*ast.NullNode); ok {
		return nil, true
	}
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		d.fault(key, node, "a list is wanted here, each item with "+wanted+"; not "+describe(node))
		return nil, false
	}
	if len(list.Values) > most {
		d.fault(key, node, fmt.Sprintf("the list has %d items, %d at most", len(list.Values), most))
		return nil, false
	}
	return list.Values, true
}

// values returns the texts of a scalar, or of a list when s takes one.
func (d *decoder) values(s *Setting, node ast.Node) []value {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		v, ok := d.scalar(s.Name, node)
		if !ok {
			return nil
		}
		return []value{v}
	}
	if !s.Repeatable() {
		d.fault(s.Name, node, "one value is wanted here, not a list")
		return nil
	}
	var values []value
	for _, item := range list.Values {
		if v, ok := d.scalar(s.Name, item); ok {
			values = append(values, v)
		}
	}
	return values
}

// scalar returns the text of a plain value as it stands in the file.
func (d *decoder) scalar(key string, node ast.Node) (value, bool) {
	v := value{line: line(node), column: column(node), source: d.source(line(node))}
	switch n := node.(type) {
	case *ast.StringNode:
		v.text = n.Value
	case *ast.LiteralNode:
		v.text = strings.TrimSuffix(n.Value.Value, "\n")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		v.text = n.GetToken().Value
	default:
		d.fault(key, node, "a value is wanted here, not "+describe(node))
		return value{}, false
	}
	return v, true
}

func (d *decoder) fault(key string, node ast.Node, problem string) {
	f := &Fault{Key: key, Origin: Origin{File: d.path}, Problem: problem}
	if node != nil {
		f.Origin.Line, f.Column = line(node), column(node)
		f.Line = d.source(f.Origin.Line)
	}
	d.faults = append(d.faults, f)
}

// syntax notes what the YAML parser complains of.
func (d *decoder) syntax(err error) {
	f := &Fault{Origin: Origin{File: d.path}, Problem: "this is not YAML"}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		f.Problem = "YAML: " + e.GetMessage()
		if strings.Contains(f.Problem, "'@' is a reserved") {
			f.Problem += "; put @FILE in quotes"
		}
		if t := e.GetToken(); t != nil && t.Position != nil {
			f.Origin.Line, f.Column = t.Position.Line, t.Position.Column
			f.Line = d.source(f.Origin.Line)
		}
	}
	d.faults = append(d.faults, f)
}

func settingNames() []string {
	names := make([]string, len(table))
	for i := range table {
		names[i] = table[i].Name
	}
	return names
}
