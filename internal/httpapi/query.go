package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"holdfast.dev/holdfast/internal/wire"
)

// query returns the parameters of the query that a call knows. Others are
// ignored. A query that cannot be read, and a known one given twice, are
// refused.
func query(r *http.Request, known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wire.Errorf(wire.BadRequest, "the query of the URL cannot be read; escape %% as %%25, ; as %%3B and & as %%26")
	}
	found := make(map[string]string)
	for name, v := range values {
		if !slices.Contains(known, name) {
			continue
		}
		if len(v) > 1 {
			return nil, wire.Errorf(wire.BadRequest, "%s= stands %d times in the query", name, len(v))
		}
		found[name] = v[0]
	}
	return found, nil
}

// Bounds of the lists that are answered.
const defaultLimit, maxLimit = 100, 1000

// limit reads the parameter limit=.
func limit(q map[string]string) (int, error) {
	s, given := q["limit"]
	if !given {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		return 0, wire.Errorf(wire.BadRequest, "limit= must be a number from 1 to %d", maxLimit)
	}
	return n, nil
}
