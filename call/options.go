package call

import "github.com/partywall/partywall/internal/rendezvous"

// DefaultQuota is how many bytes of bodies a client may lend to a service, and
// how many the service keeps for it, unless [Quota] says otherwise.
const DefaultQuota = 256 << 20

// MaxBody is the longest body in bytes.
const MaxBody = 1 << 30

// A ListenOption changes how [Listen] serves.
type ListenOption interface{ listen(*listenConfig) }

// A DialOption changes how [Dial] connects.
type DialOption interface{ dial(*dialConfig) }

// An Option is good for both sides.
type Option interface {
	ListenOption
	DialOption
}

type listenConfig struct {
	shared
	quota    int64
	maxConns int
	slots    int
	onError  func(error)
}

type dialConfig struct {
	shared
	expect []AnyMethod
	start  starter
}

// shared is what both sides can be told.
type shared struct {
	place        rendezvous.Place
	interceptors []Interceptor
}

type (
	listenOption func(*listenConfig)
	dialOption   func(*dialConfig)
	option       func(*shared)
)

func (o listenOption) listen(c *listenConfig) { o(c) }
func (o dialOption) dial(c *dialConfig)       { o(c) }
func (o option) listen(c *listenConfig)       { o(&c.shared) }
func (o option) dial(c *dialConfig)           { o(&c.shared) }

// Dir sets the run directory, in which names are looked up: unless set, it is
// $PARTYWALL_DIR, else $XDG_RUNTIME_DIR/partywall, else partywall-UID in the
// temporary directory; on Windows %PARTYWALL_DIR%, else %LOCALAPPDATA%\partywall. Client and server must have the
// same. It is made if it is missing, and must be this user's alone: of mode 0700, or with an access list that lets nobody
// else in.
func Dir(path string) Option { return option(func(s *shared) { s.place.Dir = path }) }

// Group shares the service with the members of a group of users, which is given by its name or its number; on Windows by
// its name or its security identifier. Both sides have to say so. Names are looked up in a directory of that group's:
// [Dir], or one in /dev/shm, on Windows in %ProgramData%. Any member can serve a name there, so a client
// trusts them all; [Conn.Peer] says who serves.
//
// On Windows the directory has to be this user's, or the system's or its administrators': so whoever listens first should
// be a service. And a server takes memory from its clients' processes, which the system allows it for other users only
// if it runs as an administrator or as the system. Clients of others are refused with [partywall.ErrAccess].
func Group(name string) Option { return option(func(s *shared) { s.place.Group = name }) }

// AnySession lets the peer run in another session of Windows than this process: so a service, which runs in
// session 0, and the programs on a desktop reach each other. Both sides have to say so. If they are not of the same user,
// they need [Group] too. Elsewhere it changes nothing.
func AnySession() Option { return option(func(s *shared) { s.place.AnySession = true }) }

// Quota sets how many bytes of bodies each client may have lent to the service at
// once, and how many bytes of results that did not fit the service keeps for it:
// [DefaultQuota] unless set, rounded up to a multiple of 64 KiB. A call uses room
// for its request's body and its result's body together, rounded up to a power of
// two up to 64 MiB and to a multiple of 64 MiB above.
func Quota(bytes int64) ListenOption {
	return listenOption(func(c *listenConfig) { c.quota = bytes })
}

// MaxConns bounds the conns that the service has at once: 4096 unless set. One
// more is refused with [partywall.ErrBusy].
func MaxConns(n int) ListenOption {
	return listenOption(func(c *listenConfig) { c.maxConns = n })
}

// OnError has f called with what ends a conn other than the client's leaving (a
// refused user, a failed handshake, a client that breaks the protocol), and with
// the panics of handlers.
// f is called concurrently, and must not block.
func OnError(f func(error)) ListenOption {
	return listenOption(func(c *listenConfig) { c.onError = f })
}

// Expect has Dial fail unless the service has these methods with the same
// argument and result types. Without it, that is checked at each method's first
// call.
func Expect(methods ...AnyMethod) DialOption {
	return dialOption(func(c *dialConfig) { c.expect = append(c.expect, methods...) })
}

func newListenConfig(options []ListenOption) listenConfig {
	c := listenConfig{quota: DefaultQuota, maxConns: 4096, slots: maxSlots, onError: func(error) {}}
	for _, o := range options {
		o.listen(&c)
	}
	c.quota = min(max(c.quota, 1), 1<<50)                 // nobody has more
	c.quota = (c.quota + minBody - 1) / minBody * minBody // regions are whole multiples
	return c
}
