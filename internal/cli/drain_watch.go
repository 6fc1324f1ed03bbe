package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	drainLook      = 500 * time.Millisecond // between two looks at a drain
	drainPatience  = 3                      // looks in a row that may go wrong
	stoppedLooking = "stopped watching; the drain goes on. Call it off: holdfast drain cancel"
)

// drainView shows how a drain goes.
type drainView interface {
	// show is told of each look at it.
	show(now time.Time, p drainProgress) error
	// close is called before the last words.
	close()
}

// view returns the view that was asked for: the live one for people, lines
// for files.
func (d *draining) view(api *api) drainView {
	colored, _ := d.colored(d.OutTerminal)
	switch {
	case d.wait:
		return noView{}
	case d.common.json:
		return jsonView{d.app}
	case d.OutTerminal && d.variable("TERM") != "dumb":
		return &drainScreen{app: d.app, server: api.base.String(), colored: colored}
	}
	return &drainLines{app: d.app}
}

// follow shows the drain until it is over; mine says that this command has
// begun it, so that it has failed when somebody else calls it off.
func (d *draining) follow(ctx context.Context, api *api, mine bool) error {
	f := &drainFollow{draining: d, api: api, mine: mine, view: d.view(api), pid: pidOf(ctx, api)}
	err := f.run(ctx)
	f.view.close()
	switch {
	case ctx.Err() != nil && (f.begun || mine):
		d.say(stoppedLooking)
	case err == nil && f.last.State != "":
		return f.finish(ctx)
	}
	return err
}

// drainFollow follows one drain to its end.
type drainFollow struct {
	*draining
	api  *api
	mine bool
	view drainView
	pid  int

	begun bool
	last  drainProgress // while it went on
	now   drainProgress // the last one of all
	wrong int           // looks in a row
}

// run looks again and again until the drain is over.
func (f *drainFollow) run(ctx context.Context) error {
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	for {
		p, err := f.call(ctx, f.api, http.MethodGet, nil, nil, nil)
		over, err := f.take(p, err)
		if over || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// take takes in one look and reports whether the drain is over.
func (f *drainFollow) take(p drainProgress, err error) (over bool, _ error) {
	if err != nil {
		return f.amiss(err)
	}
	f.wrong, f.now = 0, p
	if p.serving() && f.begun {
		return true, nil
	}
	if !p.serving() {
		f.begun, f.last = true, p
	}
	return false, f.view.show(time.Now(), p)
}

// amiss takes in a look that has failed. A server that drained and cannot be
// reached, twice, has ended.
func (f *drainFollow) amiss(err error) (over bool, _ error) {
	f.wrong++
	e, ok := errors.AsType[*exitError](err)
	gone := ok && e.code == exitUnreachable
	switch {
	case gone && f.begun && f.wrong >= 2:
		f.now = drainProgress{}
		return true, nil
	case gone && f.begun, ok && e.code == exitWaited && f.wrong < drainPatience:
		return false, nil
	}
	return false, err
}

// finish says how the drain ended.
func (f *drainFollow) finish(ctx context.Context) error {
	p := &f.last
	calledOff := f.now.serving() && pidOf(ctx, f.api) == f.pid
	switch {
	case calledOff && f.mine:
		return &exitError{exitFailed, fmt.Errorf("the drain was called off; the server serves on, %s", sessionCount(f.now.Remaining))}
	case calledOff:
		f.say("called off: the server serves on, %s", sessionCount(f.now.Remaining))
	case p.cutShort():
		return &exitError{exitFailed, fmt.Errorf("the server ended while %s of %s were left; its log may say why", grouped(p.Remaining), sessionCount(p.Of))}
	default:
		f.say("over: the server has ended; when it was last seen: %s", p.gone())
	}
	return nil
}

// cutShort reports whether a server that ended after this did so while many
// were left that it would not have closed yet.
func (p *drainProgress) cutShort() bool {
	return p.until() > 2*time.Second && p.Remaining > 20 && p.Remaining > p.Of/10
}

// pidOf returns the process that answers, 0 when that is not known.
func pidOf(ctx context.Context, api *api) int {
	var s serverStatus
	if api.call(ctx, http.MethodGet, "/v1/status", nil, nil, nil, &s) != nil {
		return 0
	}
	return s.PID
}

// noView shows nothing.
type noView struct{}

func (noView) show(time.Time, drainProgress) error { return nil }
func (noView) close()                              {}

// jsonView shows each look as a line of JSON.
type jsonView struct{ *app }

func (v jsonView) show(_ time.Time, p drainProgress) error { return v.printf("%s\n", p.json()) }
func (jsonView) close()                                    {}

// drainLines shows a line for each state and each tenth that has left.
type drainLines struct {
	*app
	state string
	tenth int64
}

func (v *drainLines) show(now time.Time, p drainProgress) error {
	tenth := int64(0)
	if p.Of > 0 {
		tenth = (p.Of - p.Remaining) * 10 / p.Of
	}
	if p.State == v.state && tenth <= v.tenth {
		return nil
	}
	v.state, v.tenth = p.State, tenth
	line := p.line()
	if !p.serving() && p.Of > p.Remaining {
		line += "; " + p.gone()
	}
	return v.printf("%s %s\n", clockTime(now), line)
}

func (*drainLines) close() {}
