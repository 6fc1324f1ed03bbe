package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/wire"
)

// Drainer begins and ends drains. Its errors are those of package drain.
type Drainer interface {
	// Start begins a drain in which sessions have limit to leave, 0 for the
	// usual. While one goes on it changes the limit, counted from now.
	Start(ctx context.Context, limit time.Duration) error
	// Cancel calls the drain off.
	Cancel(ctx context.Context) error
}

// Bounds of the limit of a drain, as those of --drain-limit.
const minDrain, maxDrain = time.Second, 7 * 24 * time.Hour

// showDrain answers how the drain stands.
func (a *api) showDrain(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.Drain())
}

// startDrain begins a drain, or changes the limit of the one that goes on.
func (a *api) startDrain(w http.ResponseWriter, r *http.Request) {
	if e := confirm(w, r, "this stops the server"); e != nil {
		refuse(w, e)
		return
	}
	limit, err := drainLimit(r)
	if err == nil {
		err = a.Drainer.Start(r.Context(), limit)
	}
	a.answerDrain(w, err)
}

// cancelDrain calls the drain off.
func (a *api) cancelDrain(w http.ResponseWriter, r *http.Request) {
	a.answerDrain(w, a.Drainer.Cancel(r.Context()))
}

// answerDrain answers how the drain stands after a call, or why the call was
// not carried out.
func (a *api) answerDrain(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		answer(w, http.StatusOK, a.Drain())
	case errors.Is(err, drain.ErrDraining):
		refuse(w, wire.Errorf(wire.Conflict, "a drain goes on already, with %s left; add limit= to give it another limit, from now on", a.Drain().Left.Round(time.Second)))
	case errors.Is(err, drain.ErrServing):
		refuse(w, wire.Errorf(wire.Conflict, "no drain goes on; there is nothing to call off"))
	case errors.Is(err, drain.ErrForcing), errors.Is(err, drain.ErrOver):
		refuse(w, wire.Errorf(wire.Conflict, "it is too late: the last sessions are being closed"))
	default:
		refuse(w, err)
	}
}

// drainLimit reads the parameter limit=, 0 where it is not given.
func drainLimit(r *http.Request) (time.Duration, error) {
	q, err := query(r, "limit")
	if err != nil || q["limit"] == "" {
		return 0, err
	}
	limit, err := time.ParseDuration(q["limit"])
	if err != nil || limit < minDrain || limit > maxDrain {
		return 0, wire.Errorf(wire.BadRequest, "limit= must be a duration from 1s to 168h, such as 10m")
	}
	return limit, nil
}
