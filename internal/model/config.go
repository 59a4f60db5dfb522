package model

import "fmt"

// Sides of a conn, as indices and as bits of Config.Death.
const (
	client = 0
	server = 1

	ClientDies = 1 << client
	ServerDies = 1 << server
)

// A Handlers value says where handlers run.
type Handlers uint8

// Inline handlers are run by the worker, Own ones on a goroutine of their
// own; Either lets each call go either way.
const (
	Inline Handlers = iota
	Own
	Either
)

// A Config chooses a finite instance of the call protocol.
type Config struct {
	Callers int // 1 to 4 callers in the client
	Calls   int // calls that each of them makes, one after the other; Callers*Calls is at most 16
	Slots   int // 1 or 2
	Leases  int // so many of the callers are leases: each makes all its calls, or fewer, in one slot

	Handlers Handlers
	Overtake bool // the monitor may give the first worker's role to a standby
	Doze     bool // a sleeping worker may take requests without waking
	Cancel   bool // a caller may give up wherever it waits
	Leave    bool // the server may shut down in order
	Close    bool // the client may close the conn
	Death    int  // ClientDies, ServerDies, or both bits: one of the two dies

	// Local leaves out everything between claim and release: what remains is
	// how callers wait for slots.
	Local bool

	// Recheck replaces the number in the parked mark by a look of the caller
	// at its rsp after it was handed an answer: either is enough to survive a
	// hand-over that was meant for the slot's previous call.
	Recheck bool

	// List makes the watcher's list of slots a word of its own beside the marks.
	// Without it, a mark and the slot's bit in the list change in one step.
	List bool

	Mutation Mutation
}

// String describes c as one line of a report.
func (c Config) String() string {
	s := fmt.Sprintf("%d callers, %d calls, %d slots, %s", c.Callers, c.Calls, c.Slots,
		[...]string{"inline", "own goroutines", "inline or own"}[c.Handlers])
	if c.Leases > 0 {
		s = fmt.Sprintf("%d callers (%d leases)%s", c.Callers, c.Leases, s[len("1 callers"):])
	}
	for _, f := range []struct {
		on   bool
		name string
	}{
		{c.Overtake, "overtaking"},
		{c.Doze, "doze"},
		{c.Cancel, "cancel"},
		{c.Leave, "shutdown"},
		{c.Close, "close"},
		{c.Death&ClientDies != 0, "client dies"},
		{c.Death&ServerDies != 0, "server dies"},
		{c.Local, "slots only"},
		{c.Recheck, "recheck"},
		{c.List, "list"},
	} {
		if f.on {
			s += ", " + f.name
		}
	}
	if c.Mutation != 0 {
		s += ", mutation: " + c.Mutation.String()
	}
	return s
}

// A Mutation is a seeded mistake. The zero value is the protocol as it should be.
type Mutation uint8

// The mistakes, each of which the properties must catch.
const (
	_                      Mutation = iota
	WorkerNoSecondLook              // the worker sleeps without looking again
	WatcherNoSecondLook             // so does the watcher
	AbandonFrees                    // giving up sets the free bit at once
	TrustPendingBit                 // the server takes where the bit differs, without looking at req
	ParkNoLook                      // a caller parks without looking at rsp again
	IdleNoLook                      // the watcher goes idle without looking again
	RequestRingFirst                // the doorbell is loaded before the request is published
	AnswerRingFirst                 // the same on the server's side
	AnswerWaitsFirst                // waits is loaded before the answer is published
	ParkWaitsLate                   // a caller stores waits after it has looked at rsp again
	RingOnce                        // one ring for ever, instead of one for each sleep
	RoleIgnored                     // the overtaken worker goes on looking
	NoLastLook                      // at the end of the conn the caller does not look at rsp
	NoPassOn                        // a waiter that got a slot does not pass the token on
	HintKeepsSeen                   // a request found by the hint does not move seen
	EndForgetsWatcher               // the end of the conn does not wake the watcher
	EndForgetsWorker                // nor the worker
	AnswerBeforeLetGo               // rsp is stored before let go
	MarkWithoutNumber               // the parked mark is a bit, and the caller trusts the hand-over
	MonitorRace                     // the role changes although the handler may have returned
	AbandonBlind                    // giving up while spinning marks the slot and goes
	IdleForgetsAbandoned            // idle means: no caller is parked; abandoned slots do not count
	ReleaseNoToken                  // release does not look for waiters
	WaiterNoRetry                   // a waiter raises the counter and waits without trying again
	LeaveForgetsHandlers            // the server says BYE while a handler still runs
	MonitorForgetsDoorbell          // the standby starts without a look, straight to sleep
	LeaveNoLook                     // the shutdown is no part of the look before sleeping
	EndAtOnce                       // the watcher ends with the conn, whoever is parked
	ParkForgetsEnd                  // a caller parks without looking at the end of the conn
	ListLate                        // the bit in the list is set after the parked mark
	HandEarly                       // the watcher clears the bit after it has handed over
	UnmapAfterCallers               // unmapping does not wait for the watcher
	UnmapUnderLease                 // unmapping does not wait for leases
	DropNoToken                     // a caller that leaves at the end of the conn does not look for waiters
	LeaseAbandons                   // a lease that gives up marks its slot abandoned at once
	LeaseFrees                      // a lease frees its slot though its answer is outstanding
	LeaseNoWait                     // a lease publishes without waiting for the old answer
	LeaseStaysParked                // a lease that gives up leaves its mark
	LeaseStaysListed                // a lease that gives up leaves its bit in the list
	LeasedLate                      // who gives up looks whether it is a lease after its mark is abandoned
	EndMarksFirst                   // a lease marks its slot abandoned before it looks at rsp once more
	DozeOldSleep                    // a doze takes the token and looks, but publishes no new sleep
	DozeLookFirst                   // a doze publishes its new sleep after the look
	DozeEven                        // a doze stores the word after its own, instead of the next odd one
	DozeParksEarly                  // a doze parks after one handler, whatever else its look has found
	DozeForgetsLeave                // a doze that has run something parks without looking for the shutdown
	StandbyStaysOdd                 // the standby does not begin by making an odd word even
	mutations
)

var mutationNames = [mutations]string{
	"none", "worker: no second look", "watcher: no second look", "abandon frees at once",
	"pending bit trusted without req", "park without looking again", "idle without looking again",
	"request: doorbell loaded before publish", "answer: doorbell loaded before publish",
	"answer: waits loaded before publish", "waits stored after the look", "ring only once ever",
	"overtaken worker goes on looking", "no last look at rsp", "token not passed on", "hint keeps seen",
	"end-of-file does not wake the watcher", "end-of-file does not wake the worker", "rsp before let go",
	"parked mark without number", "monitor races with the handler's return", "abandon without looking again",
	"idle although a slot is abandoned", "release without token", "waiter does not try again",
	"BYE before the handlers are done", "standby sleeps without looking",
	"shutdown is not looked for before sleeping", "watcher ends with the conn at once",
	"park without looking at the end", "list bit after the mark",
	"list bit cleared after the hand-over", "unmapped under the watcher", "unmapped under a lease",
	"no token for the drain", "lease abandons at once", "lease frees with its answer outstanding",
	"lease publishes before the old answer", "lease leaves its mark", "lease leaves its list bit",
	"leased looked at too late", "lease marks before it looks",
	"doze: no new sleep", "doze: new sleep after the look", "doze: an even word",
	"doze: parks after one handler", "doze: shutdown is not looked for before parking",
	"standby begins with an odd word",
}

// String returns a short name.
func (m Mutation) String() string { return mutationNames[m] }
