package node

import (
	"holdfast.dev/holdfast/internal/drain"
	"holdfast.dev/holdfast/internal/metrics"
	"holdfast.dev/holdfast/internal/transport"
)

// fleet is all sessions as a drain sees them.
type fleet struct{ *transport.Server }

// Census implements drain.Fleet.
func (f fleet) Census() drain.Census { return drain.Census(f.Server.Census()) }

// StopAdmitting implements drain.Fleet.
func (f fleet) StopAdmitting() { f.Server.StopAdmitting() }

// Tell implements drain.Fleet.
func (f fleet) Tell(n drain.Notice) { f.Announce(n.Append, !n.Cancelled) }

// drainConfig says how this server drains. On a terminal nobody waits for a
// load balancer, unless it was asked for.
func (n *node) drainConfig() drain.Config {
	c := drain.Config{
		Limit: n.cfg.DrainLimit, Announce: n.cfg.DrainAnnounce, Invite: n.cfg.DrainInvite,
		MaxRate: n.cfg.DrainMaxRate, LogEvery: n.cfg.DrainLogEvery,
	}
	if n.opts.Terminal && n.cfg.Origin("drain-announce").IsDefault() {
		c.Announce = 0
	}
	return c
}

// drained counts what drains did to sessions.
func (n *node) drained() metrics.Drained {
	t := n.carrier.Totals()
	forced := uint64(n.drainer.Progress().Forced)
	return metrics.Drained{Told: t.Told, Moved: t.Moved, Shed: max(t.Restarts, forced) - forced, Forced: forced}
}
