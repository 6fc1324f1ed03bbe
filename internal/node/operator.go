package node

import (
	"context"

	"holdfast.dev/holdfast/internal/session"
	"holdfast.dev/holdfast/internal/transport"
	"holdfast.dev/holdfast/internal/wire"
)

// operator shows who is connected, disconnects and revokes. A token is
// revoked before its sessions end: they could be back with it otherwise.
type operator struct {
	*transport.Server
	tokens *tokens
}

// Disconnect implements httpapi.Sessions.
func (o operator) Disconnect(ctx context.Context, id string, revoke bool) (found bool, err error) {
	if !revoke {
		return o.Server.Disconnect(ctx, id, session.ByOperator), nil
	}
	g, found := o.Grant(ctx, id)
	switch {
	case !found:
		return false, nil
	case g == nil || g.Token == "":
		return true, wire.Errorf(wire.BadRequest, "session %s came without a token; disconnect it without revoke=true", wire.Quote(id))
	}
	err = o.tokens.RevokeToken(g)
	o.Server.Disconnect(ctx, id, session.Revoked) // it may have a newer token by now
	o.DisconnectToken(ctx, g.Token, session.Revoked)
	return true, err
}

// DisconnectUser implements httpapi.Sessions.
func (o operator) DisconnectUser(ctx context.Context, user string, revoke bool) (ended int, err error) {
	if !revoke {
		return o.Server.DisconnectUser(ctx, user, session.ByOperator), nil
	}
	err = o.tokens.RevokeUser(user)
	return o.Server.DisconnectUser(ctx, user, session.Revoked), err
}
