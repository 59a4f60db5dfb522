package winmsg

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/internal/winapi"
	"github.com/partywall/partywall/procmem"
)

// CopyData is what a WM_COPYDATA message brings.
type CopyData struct {
	From uintptr // the handle of the window that the sender says it is, or 0
	Tag  uintptr // what the two programs have agreed on: dwData
	Data []byte  // a copy
}

// SendCopyData sends bytes to the window, which gets a copy, and returns its answer:
// WM_COPYDATA. It goes one way only; a program that is to send bytes back needs a window
// to send them to: from, which may be nil. Contexts and errors are those of [Window.Send], and
// [partywall.ErrTooLarge] for more than [MaxBytes]; data may be changed once SendCopyData has
// returned.
func (w *Window) SendCopyData(ctx context.Context, from *OwnWindow, tag uintptr, data []byte) (uintptr, error) {
	if err := ctx.Err(); err != nil {
		return 0, w.fault("send WM_COPYDATA", err)
	}
	if len(data) > MaxBytes {
		return 0, w.fault("send WM_COPYDATA", fmt.Errorf("%w: %d bytes; the limit is %d", partywall.ErrTooLarge, len(data), MaxBytes))
	}
	var sender uintptr
	if from != nil {
		sender = from.Handle()
	}
	if ctx.Done() == nil {
		return w.transmitCopyData(sender, tag, data)
	}
	// The sender may give up, and use data for something else.
	data = append([]byte(nil), data...)
	j, err := w.depart(ctx, Copy, func() (uintptr, error) { return w.transmitCopyData(sender, tag, data) })
	if err != nil {
		return 0, err
	}
	return j.arrive(ctx)
}

func (w *Window) transmitCopyData(sender, tag uintptr, data []byte) (uintptr, error) {
	c := &winapi.CopyData{Tag: tag, Size: uint32(len(data))}
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(c)
	if len(data) > 0 {
		pins.Pin(&data[0])
		c.Data = uintptr(unsafe.Pointer(&data[0]))
	}
	return w.transmit(Copy, sender, uintptr(unsafe.Pointer(c)))
}

// HandleCopyData makes h the handler of WM_COPYDATA.
func (w *OwnWindow) HandleCopyData(h func(c CopyData) uintptr) {
	w.HandleMessage(Copy, func(sender, address uintptr) uintptr {
		// The system has brought the struct and the bytes into this process, and gives them
		// back when this returns.
		var c winapi.CopyData
		if _, err := procmem.Self().ReadAt(unsafe.Slice((*byte)(unsafe.Pointer(&c)), unsafe.Sizeof(c)), int64(address)); err != nil {
			return Refused
		}
		if c.Size > MaxBytes { // not from SendMessage: somebody has posted an address
			return Refused
		}
		if c.Size > 0 { // nor is there memory for bytes that are not there
			if _, err := procmem.Self().ReadAt(make([]byte, 1), int64(c.Data)+int64(c.Size)-1); err != nil {
				return Refused
			}
		}
		data := make([]byte, c.Size)
		if _, err := procmem.Self().ReadAt(data, int64(c.Data)); err != nil {
			return Refused
		}
		return h(CopyData{From: sender, Tag: c.Tag, Data: data})
	})
}
