package backing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/rendezvous"
)

// A sleeper sleeps on bells by an event for each number, which has a name. It keeps a signal
// until somebody waits, so none is lost; and it wakes one waiter, so one goroutine of a
// sleeper waits for it, and wakes the others.
type sleeper struct {
	name string // what the events' names begin with

	mu     sync.Mutex
	event  windows.Handle // this one's own, from the first sleep on
	number int
	round  chan struct{} // closed when the event is signalled; nil if nobody waits

	// Handles of the events that this one has signalled, by number: to open one takes three times as long as
	// to signal it. As long as somebody has an event, its name leads to it, so whoever takes the number
	// over waits for the same one.
	others sync.Map
}

// newSleeper returns the sleeper of those who give the same identity. The names are the machine's and not the
// session's: a service of this user finds them too.
func newSleeper(identity string) *sleeper {
	sum := sha256.Sum256([]byte(identity))
	return &sleeper{name: fmt.Sprintf(`Global\partywall-bell-%x-`, sum[:16])}
}

// noEvent is how long a sleep takes whose event cannot be made: somebody else has the
// name, or the system is short of memory.
const noEvent = 5 * time.Millisecond

func (s *sleeper) sleep(bell *atomic.Uint32, seen uint32, number int) {
	s.mu.Lock()
	if err := s.open(number); err != nil {
		s.mu.Unlock()
		time.Sleep(noEvent)
		return
	}
	// Who wakes changes the bell before it looks for the event: it has found this one, or the bell
	// differs here.
	if bell.Load() != seen {
		s.mu.Unlock()
		return
	}
	event, round, first := s.event, s.round, s.round == nil
	if first {
		round = make(chan struct{})
		s.round = round
	}
	s.mu.Unlock()
	if !first {
		<-round
		return
	}
	if _, err := windows.WaitForSingleObject(event, windows.INFINITE); err != nil {
		time.Sleep(noEvent)
	}
	s.mu.Lock()
	s.round = nil
	s.mu.Unlock()
	close(round)
}

// open makes the event of a number, if this one has another or none.
func (s *sleeper) open(number int) error {
	if s.event != 0 && s.number == number {
		return nil
	}
	private, err := rendezvous.Private(rendezvous.PrivateEvent)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(s.eventName(number))
	if err != nil {
		return err
	}
	const access = windows.EVENT_MODIFY_STATE | windows.SYNCHRONIZE | windows.READ_CONTROL
	event, err := windows.CreateEventEx(private, name, 0, access)
	switch {
	case errors.Is(err, windows.ERROR_ALREADY_EXISTS):
		// Another of ours had the number, or somebody waits here for those who come.
		if err := rendezvous.Owned(event, windows.SE_KERNEL_OBJECT); err != nil {
			windows.CloseHandle(event)
			return err
		}
	case err != nil:
		return err
	}
	s.closeEvent()
	s.event, s.number = event, number
	return nil
}

func (s *sleeper) eventName(number int) string { return fmt.Sprint(s.name, number) }

func (s *sleeper) wake(_ *atomic.Uint32, asleep func(int) bool, numbers int) {
	for number := range numbers {
		if asleep(number) {
			s.ring(number)
		}
	}
}

// ring wakes the sleepers of a number. If there is no event, nobody sleeps yet.
func (s *sleeper) ring(number int) {
	if e, ok := s.others.Load(number); ok {
		_ = windows.SetEvent(e.(windows.Handle))
		return
	}
	name, err := windows.UTF16PtrFromString(s.eventName(number))
	if err != nil {
		return
	}
	event, err := windows.OpenEvent(windows.EVENT_MODIFY_STATE, false, name)
	if err != nil {
		return
	}
	_ = windows.SetEvent(event)
	if _, ok := s.others.LoadOrStore(number, event); ok {
		windows.CloseHandle(event)
	}
}

func (s *sleeper) wakeOwn(_ *atomic.Uint32, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.event != 0 && s.number == number {
		_ = windows.SetEvent(s.event)
	}
}

func (s *sleeper) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeEvent()
	s.others.Range(func(_, event any) bool {
		windows.CloseHandle(event.(windows.Handle))
		return true
	})
	s.others.Clear()
}

func (s *sleeper) closeEvent() {
	if s.event != 0 {
		windows.CloseHandle(s.event)
		s.event = 0
	}
}
