package call

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
	dir          string // the run directory, or empty for the user's
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
// temporary directory. Client and server must have the same. It is made if it is
// missing, and must belong to this user with mode 0700.
func Dir(path string) Option { return option(func(s *shared) { s.dir = path }) }

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
