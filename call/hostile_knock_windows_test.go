package call

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sys/windows"

	"github.com/partywall/partywall/internal/winapi"
)

// joinWith joins with a message that change has changed.
func joinWith(change func(w *wire, j *joining) error) func(string) (outcome, error) {
	return func(service string) (outcome, error) {
		w, j, err := newJoining()
		if err != nil {
			return "", err
		}
		defer w.memory.Close()
		if err := change(w, &j); err != nil {
			return "", err
		}
		return joinByBytes(service, j.bytes())
	}
}

// joinByBytes sends these as the message, and goes when it has an answer.
func joinByBytes(service string, parts ...[]byte) (outcome, error) {
	pipe, err := knock(service)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(pipe)
	for _, b := range parts {
		if err := tell(pipe, b); err != nil {
			return "", err
		}
	}
	got, text, err := answerAt(pipe)
	if text != "" {
		fmt.Printf("log %q\n", text)
	}
	return got, err
}

// The parts of the message that name handles.
var namings = map[string]func(*joining) *uint64{
	"memory":       func(j *joining) *uint64 { return &j.memory },
	"client-event": func(j *joining) *uint64 { return &j.clientEvent },
	"server-event": func(j *joining) *uint64 { return &j.serverEvent },
}

// wrongHandles are none of memory, nor of an event that resets itself.
var wrongHandles = map[string]func() (uint64, error){
	"none":         func() (uint64, error) { return 0, nil },
	"odd":          func() (uint64, error) { return 0x41, nil },
	"this-process": func() (uint64, error) { return math.MaxUint64, nil },
	"this-thread":  func() (uint64, error) { return math.MaxUint64 - 1, nil },
	"unused":       func() (uint64, error) { return 0x7ffffff0, nil },
	"huge":         func() (uint64, error) { return 1<<40 + 4, nil },
	"manual-event": numberOf(func() (windows.Handle, error) { return windows.CreateEvent(nil, 1, 1, nil) }),
	"mutex":        numberOf(func() (windows.Handle, error) { return windows.CreateMutex(nil, false, nil) }),
	"process": numberOf(func() (windows.Handle, error) {
		return windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(os.Getpid()))
	}),
	"token": numberOf(func() (windows.Handle, error) {
		var token windows.Token
		err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY, &token)
		return windows.Handle(token), err
	}),
}

func numberOf(open func() (windows.Handle, error)) func() (uint64, error) {
	return func() (uint64, error) {
		h, err := open()
		return uint64(h), err
	}
}

func numberOfFile(open func() (*os.File, error)) func() (uint64, error) {
	return func() (uint64, error) {
		f, err := open()
		if err != nil {
			return 0, err
		}
		h, err := again(windows.Handle(f.Fd()), 0)
		if err != nil {
			return 0, err
		}
		number := uint64(h.Fd())
		kept = append(kept, h)
		return number, f.Close()
	}
}

// kept stays open.
var kept []*os.File

// joinLies are lies by which a client joins. A server does not hear of who does not get in.
var joinLies = concatLies(
	joinHandles(namings, wrongHandles),
	joinHandles(map[string]func(*joining) *uint64{"memory": namings["memory"]}, map[string]func() (uint64, error){
		"event":    numberOf(func() (windows.Handle, error) { return windows.CreateEvent(nil, 0, 0, nil) }),
		"of-file":  numberOfFile(ofFile(windows.PAGE_READWRITE)),
		"image":    numberOfFile(image),
		"smaller":  numberOfFile(memory(linkBytes - 4096)),
		"larger":   numberOfFile(memory(linkBytes + 4096)),
		"less":     numberOfFile(lessThan(winapi.SECTION_QUERY | winapi.SECTION_MAP_READ)),
		"reserved": numberOfFile(reservedOnly(linkBytes)),
	}),
	[]clientLie{
		{name: "join-no-lie", want: served, cause: os.ErrDeadlineExceeded, join: joinWith(func(*wire, *joining) error { return nil })},
		{name: "join-magic", want: turnedAway, cause: errNone, join: joinWith(func(_ *wire, j *joining) error { j.magic = "SQUALLK1"; return nil })},
		{name: "join-next-version", want: turnedAway, cause: errNone, join: joinWith(func(_ *wire, j *joining) error { j.magic = "PWALLLK2"; return nil })},
		{name: "join-size-zero", want: turnedAway, cause: errNone, join: joinWith(func(_ *wire, j *joining) error { j.size = 0; return nil })},
		{name: "join-size-more", want: turnedAway, cause: errNone, join: joinWith(func(_ *wire, j *joining) error { j.size++; return nil })},
		{name: "join-size-huge", want: turnedAway, cause: errNone, join: joinWith(func(_ *wire, j *joining) error { j.size = math.MaxUint64; return nil })},
		// The system gives all of an object to who may have it, whatever the handle allows.
		{name: "join-event-that-may-not-be-set", want: served, cause: os.ErrDeadlineExceeded, join: joinWith(func(_ *wire, j *joining) error {
			return lessEvent(&j.serverEvent, windows.SYNCHRONIZE)
		})},
		{name: "join-event-not-to-wait-for", want: served, cause: os.ErrDeadlineExceeded, join: joinWith(func(_ *wire, j *joining) error {
			return lessEvent(&j.serverEvent, windows.EVENT_MODIFY_STATE)
		})},
		// It would wake itself, and nobody else.
		{name: "join-with-one-event", want: served, cause: os.ErrDeadlineExceeded, join: joinWith(func(_ *wire, j *joining) error {
			j.clientEvent = j.serverEvent
			return nil
		})},
		{name: "join-by-bytes", want: served, cause: os.ErrDeadlineExceeded, join: func(service string) (outcome, error) {
			_, j, err := newJoining()
			if err != nil {
				return "", err
			}
			var parts [][]byte
			for _, b := range j.bytes() {
				parts = append(parts, []byte{b})
			}
			return joinByBytes(service, parts...)
		}},
		{name: "join-and-gone-at-once", want: ended, cause: errNone, join: func(service string) (outcome, error) {
			return goneAfter(service, nil)
		}},
		{name: "join-and-gone-halfway", want: ended, cause: errNone, join: func(service string) (outcome, error) {
			return goneAfter(service, []byte(joinMagic))
		}},
		{name: "join-and-gone-before-the-answer", want: ended, cause: errNone, join: func(service string) (outcome, error) {
			return goneAfter(service, joining{magic: joinMagic, size: linkBytes}.bytes())
		}},
		{name: "join-twice", want: ended, cause: errNone, join: func(service string) (outcome, error) {
			_, j, err := newJoining()
			if err != nil {
				return "", err
			}
			return joinThen(service, append(j.bytes(), j.bytes()...))
		}},
		{name: "join-more", want: ended, cause: errNone, join: func(service string) (outcome, error) {
			_, j, err := newJoining()
			if err != nil {
				return "", err
			}
			return joinThen(service, append(j.bytes(), 0))
		}},
		// What keeps the pipe open keeps a server from seeing that it has joined; what says nothing, from
		// anything. Their time runs out.
		{name: "join-keeps-the-pipe", want: ended, cause: errNone, join: func(service string) (outcome, error) {
			_, j, err := newJoining()
			if err != nil {
				return "", err
			}
			return joinThen(service, j.bytes())
		}},
		{name: "join-stalls", want: turnedAway, cause: errNone, join: func(service string) (outcome, error) { return joinByBytes(service) }},
		{name: "join-stalls-halfway", want: turnedAway, cause: errNone, join: func(service string) (outcome, error) {
			return joinByBytes(service, []byte(joinMagic))
		}},
	},
)

func concatLies(all ...[]clientLie) (lies []clientLie) {
	for _, some := range all {
		lies = append(lies, some...)
	}
	return lies
}

func joinHandles(namings map[string]func(*joining) *uint64, handles map[string]func() (uint64, error)) (lies []clientLie) {
	for what, named := range namings {
		for kind, open := range handles {
			lies = append(lies, clientLie{name: "join-" + what + "-" + kind, want: turnedAway, cause: errNone,
				join: joinWith(func(_ *wire, j *joining) (err error) {
					*named(j), err = open()
					return err
				})})
		}
	}
	return lies
}

func reservedOnly(size int64) func() (*os.File, error) {
	return func() (*os.File, error) {
		return sectionOf(windows.InvalidHandle, windows.PAGE_READWRITE|winapi.SEC_RESERVE, size)
	}
}

// lessEvent makes an event, and names a handle of it that allows only some things.
func lessEvent(number *uint64, access uint32) error {
	h, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return err
	}
	f, err := again(h, access)
	if err != nil {
		return err
	}
	kept = append(kept, f)
	*number = uint64(f.Fd())
	return windows.CloseHandle(h)
}

// goneAfter says something and goes.
func goneAfter(service string, b []byte) (outcome, error) {
	pipe, err := knock(service)
	if err != nil {
		return "", err
	}
	if len(b) > 0 {
		err = tell(pipe, b)
	}
	return ended, errors.Join(err, windows.CloseHandle(pipe))
}

// joinThen joins, and waits until the server has closed the pipe.
func joinThen(service string, b []byte) (outcome, error) {
	pipe, err := knock(service)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(pipe)
	if err := tell(pipe, b); err != nil {
		return "", err
	}
	if got, _, err := answerAt(pipe); got != served || err != nil {
		return got, err
	}
	begun := time.Now()
	_, err = hear(pipe, 1)
	fmt.Println("log closed after", time.Since(begun).Round(100*time.Millisecond))
	if errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED) {
		return ended, nil
	}
	return served, err
}
