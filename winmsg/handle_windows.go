package winmsg

import (
	"fmt"
	"maps"

	"github.com/partywall/partywall/internal/fixed"
	"github.com/partywall/partywall/internal/winapi"
	"github.com/partywall/partywall/procmem"
)

// Handle makes h the handler of a message that carries a struct: the size of the sender's
// struct in wParam, its address in this process in lParam, as [Invoke] sends it. What h
// returns is the answer; what it makes of *arg is written back to the address first.
//
// The answer is -1, [Refused], and h does not run, if wParam is less than the size of T, or if
// T's bytes there are not all committed, private memory that can be read and written. It is -1 as
// well if h panics, or if the memory has gone when the result is to be written.
// Bytes behind T are ignored: a newer sender's struct may be longer.
//
// The sender says where to read and write, and it can be any program of the same desktop with at least
// this one's integrity level. It cannot make this process fault, since the system copies; but an
// address that is some other memory of this process is as good to the system as a block that the
// sender owns. Read docs/WINDOWS.md before a program serves windows to those who could not open
// its process.
//
// T has a fixed layout; Handle panics if it has none, or if the message has a handler.
func Handle[T any](w *OwnWindow, msg Message, h func(arg *T) uintptr) {
	layout := layoutOf[T]("Handle")
	w.HandleMessage(msg, func(size, address uintptr) uintptr {
		if size < uintptr(layout.Size()) {
			return Refused
		}
		arg := new(T)
		bytes := make([]byte, layout.Size())
		if err := w.fetch(msg, bytes, address); err != nil {
			return Refused
		}
		layout.Receive(fixed.Bytes(arg), bytes)
		answer := h(arg)
		layout.Publish(bytes, fixed.Bytes(arg))
		return w.writeBack(msg, bytes, address, answer)
	})
}

// MaxBytes is the most that [HandleBytes] takes, and [Window.SendCopyData] sends: 1 GiB.
const MaxBytes = 1 << 30

// HandleBytes is [Handle] for bytes, as [InvokeBytes] sends them: h gets a copy and changes it
// in place. More than most bytes, which is at most [MaxBytes], are refused.
func HandleBytes(w *OwnWindow, msg Message, most int, h func(data []byte) uintptr) {
	if most < 0 || most > MaxBytes {
		panic(fmt.Sprintf("winmsg.HandleBytes: a limit of %d bytes; at most %d are possible", most, MaxBytes))
	}
	w.HandleMessage(msg, func(size, address uintptr) uintptr {
		if size > uintptr(most) {
			return Refused
		}
		if err := w.check(msg, address, size); err != nil { // before there is memory for it
			return Refused
		}
		data := make([]byte, size)
		if err := w.fetch(msg, data, address); err != nil {
			return Refused
		}
		return w.writeBack(msg, data, address, h(data))
	})
}

// check reports whether the memory that a sender names is such as VirtualAllocEx gives.
func (w *OwnWindow) check(msg Message, address, size uintptr) error {
	if err := plain(address, size); err != nil {
		err = fmt.Errorf("%v with %d bytes: %w", msg, size, err)
		w.report(err)
		return err
	}
	return nil
}

// fetch copies what a sender has written. The memory is checked, but its owner can free it
// at any moment: so the system copies, which fails where a load would fault. (The check is not left to
// the system: it would write to memory that is only to be read.)
func (w *OwnWindow) fetch(msg Message, data []byte, address uintptr) error {
	if err := w.check(msg, address, uintptr(len(data))); err != nil {
		return err
	}
	if _, err := procmem.Self().ReadAt(data, int64(address)); err != nil {
		err = fmt.Errorf("%v: %w", msg, err)
		w.report(err)
		return err
	}
	return nil
}

// writeBack copies a result to where the argument was.
func (w *OwnWindow) writeBack(msg Message, data []byte, address, answer uintptr) uintptr {
	if err := w.check(msg, address, uintptr(len(data))); err != nil {
		return Refused
	}
	if _, err := procmem.Self().WriteAt(data, int64(address)); err != nil {
		w.report(fmt.Errorf("the result of %v cannot be written: %w", msg, err))
		return Refused
	}
	return answer
}

// HandleMessage makes h the handler of a message, whatever its parameters mean. h runs on the
// window's thread: no other message is dealt with until it returns, and a program that sends one
// waits. [procmem.Self] reads and writes what lies at an address that a
// sender has given, without a fault if there is nothing.
//
// A panic of h answers -1. HandleMessage panics if the message has a handler already.
func (w *OwnWindow) HandleMessage(msg Message, h func(wParam, lParam uintptr) uintptr) {
	w.adding.Lock()
	defer w.adding.Unlock()
	handlers := maps.Clone(*w.handlers.Load())
	if handlers[msg] != nil {
		panic(fmt.Sprintf("winmsg: window %q has a handler of %v", w.config.title, msg))
	}
	handlers[msg] = h
	w.handlers.Store(&handlers)
}

// Allow lets programs of a lower integrity level send the message to this window. Without it
// Windows keeps most messages, all from [User] on and WM_COPYDATA among them, from a window whose
// process has a higher level than the sender's.
func (w *OwnWindow) Allow(msg Message) error {
	if err := winapi.ChangeWindowMessageFilterEx(w.handle, uint32(msg), winapi.MSGFLT_ALLOW, 0); err != nil {
		return fmt.Errorf("winmsg: window %q: allow %v: %w", w.config.title, msg, err)
	}
	return nil
}
