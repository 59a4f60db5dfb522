package partywall

import "errors"

// The errors that callers test for with [errors.Is]. The error that a function
// returns wraps one of them, names the service or method it is about, wraps the
// system's own error where there is one, and says what to do where that helps.
//
// What the standard library names is used from there: [os.ErrClosed] for
// something that this process has closed itself, and the errors of a context.
var (
	// ErrName: the name breaks the rule of [CheckName].
	ErrName = errors.New("partywall: bad name")

	// ErrNotFound: nobody serves that name now, or the service has no such
	// method; no process has that section open.
	ErrNotFound = errors.New("partywall: not found")

	// ErrRunning: another process serves that name already; or it runs under that name,
	// and has taken over what this one was started for.
	ErrRunning = errors.New("partywall: already running")

	// ErrUnreachable: another process runs under that name, and has not confirmed what
	// it was to be handed: it hangs or is stopped, or the system keeps the two apart. The text
	// says which.
	ErrUnreachable = errors.New("partywall: running, but cannot be reached")

	// ErrPeerGone: the process at the other end has ended or closed its end.
	// Whether a call that was in flight took effect is not known.
	ErrPeerGone = errors.New("partywall: peer gone")

	// ErrAccess: the other end, or the directory where names are looked up, is
	// not this user's, or the system denied access; or a section is open for
	// reading only.
	ErrAccess = errors.New("partywall: access denied")

	// ErrTooLarge: an argument, result or body exceeds a limit. The text names
	// the limit and how to raise it.
	ErrTooLarge = errors.New("partywall: too large")

	// ErrLayout: two programs disagree about the layout of a type. The text
	// names the field.
	ErrLayout = errors.New("partywall: layout mismatch")

	// ErrVersion: the two processes speak different versions of the protocol.
	ErrVersion = errors.New("partywall: version mismatch")

	// ErrProtocol: another process broke the protocol; a conn to it is ended.
	ErrProtocol = errors.New("partywall: peer broke the protocol")

	// ErrBusy: there is no room for one more conn, body or participant; or another
	// process has what is needed, and does not get on. The text says which.
	ErrBusy = errors.New("partywall: busy")

	// ErrShutdown: the service is shutting down and takes no new calls. The
	// call did not run.
	ErrShutdown = errors.New("partywall: service is shutting down")

	// ErrNotSupported: this operating system, or this machine's configuration,
	// cannot do it. The text names what is missing.
	ErrNotSupported = errors.New("partywall: not supported")
)
