package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"holdfast.dev/holdfast/internal/wire"
)

// object holds the members of a JSON object as they were written. Names are
// exact: other than in encoding/json, "Exp" is not "exp".
type object map[string]json.RawMessage

// parseObject reads one JSON object. Text that is not UTF-8, a name that
// stands twice (RFC 7519, section 4, leaves readers to differ) and anything
// behind the object are faults.
func parseObject(b []byte) (object, error) {
	if err := wire.CheckJSON(b); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	o := make(object)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string) // nothing else stands before a colon
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%s stands there twice", wire.Quote(name))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		o[name] = value
	}
	return o, nil
}

// text returns the string that a member holds; given is false when there is
// no such member. null is not a string.
func (o object) text(name string) (s string, given bool, err error) {
	raw, given := o[name]
	if !given {
		return "", false, nil
	}
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", true, fmt.Errorf("%s is not a string", name)
	}
	return s, true, nil
}

// texts returns the list of strings that a member holds.
func (o object) texts(name string) (list []string, given bool, err error) {
	raw, given := o[name]
	if !given {
		return nil, false, nil
	}
	var pointers []*string // a null in the list would else read as ""
	if raw[0] != '[' || json.Unmarshal(raw, &pointers) != nil {
		return nil, true, fmt.Errorf("%s is not a list of strings", name)
	}
	for _, p := range pointers {
		if p == nil {
			return nil, true, fmt.Errorf("%s is not a list of strings", name)
		}
		list = append(list, *p)
	}
	return list, true, nil
}
