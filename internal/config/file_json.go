package config

import (
	"encoding/json"

	"github.com/goccy/go-yaml/ast"

	"holdfast.dev/holdfast/internal/wire"
)

// json returns a YAML value as JSON, keys in the order of the file.
func (d *decoder) json(node ast.Node) json.RawMessage {
	before := len(d.faults)
	out := d.appendJSON(nil, node)
	if len(d.faults) > before {
		return nil
	}
	if err := wire.CheckJSON(out); err != nil {
		d.fault("schedules", node, err.Error())
		return nil
	}
	return out
}

func (d *decoder) appendJSON(out []byte, node ast.Node) []byte {
	switch n := node.(type) {
	case *ast.MappingNode:
		return d.appendObject(out, n)
	case *ast.SequenceNode:
		out = append(out, '[')
		for i, item := range n.Values {
			if i > 0 {
				out = append(out, ',')
			}
			out = d.appendJSON(out, item)
		}
		return append(out, ']')
	case *ast.NullNode:
		return append(out, "null"...)
	case *ast.StringNode:
		return wire.AppendString(out, n.Value)
	case *ast.LiteralNode:
		return wire.AppendString(out, n.Value.Value)
	case *ast.BoolNode:
		return appendValue(out, n.Value)
	case *ast.IntegerNode:
		return appendValue(out, n.Value)
	case *ast.FloatNode:
		return appendValue(out, n.Value)
	}
	d.fault("schedules", node, "this has no form in JSON: "+describe(node))
	return out
}

func (d *decoder) appendObject(out []byte, m *ast.MappingNode) []byte {
	seen := map[string]bool{}
	out = append(out, '{')
	for i, pair := range m.Values {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			d.fault("schedules", pair.Key, "a key in data must be text; put it in quotes")
			continue
		}
		if seen[key.Value] {
			d.fault("schedules", pair.Key, "the key "+quote(key.Value)+" stands here twice; keep one")
		}
		seen[key.Value] = true
		if i > 0 {
			out = append(out, ',')
		}
		out = wire.AppendString(out, key.Value)
		out = append(out, ':')
		out = d.appendJSON(out, pair.Value)
	}
	return append(out, '}')
}

// appendValue appends a number or boolean as JSON.
func appendValue(out []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(out, "null"...) // not reached: YAML's scalars all have a JSON form here
	}
	return append(out, text...)
}
