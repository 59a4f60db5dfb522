package call

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/partywall/partywall"
)

// welcomeWith is the WELCOME of an honest server with another descriptor.
func welcomeWith(open func() (*os.File, error)) func(*lyingServer) error {
	return func(l *lyingServer) error {
		f, err := open()
		if err != nil {
			return err
		}
		return l.send(msgWelcome, encode(honestly), f)
	}
}

// honestMemory opens memory of the size of an honest control region, changed by more.
func honestMemory(more int64, seals int) func() (*os.File, error) {
	return sealed(honestly.size()+more, seals)
}

// strangeWelcomes are lies with the descriptor of the control region.
var strangeWelcomes = []serverLie{
	{name: "welcome-two-descriptors", greet: func(l *lyingServer) error {
		f, err := lendable(honestly.size())
		if err != nil {
			return err
		}
		return l.send(msgWelcome, encode(honestly), f, f)
	}},
	{name: "welcome-pipe", greet: welcomeWith(notMemory)},
	{name: "welcome-directory", greet: welcomeWith(func() (*os.File, error) { return os.Open("/") })},
	{name: "welcome-file", greet: welcomeWith(func() (*os.File, error) { return onDisk(os.TempDir(), honestly.size()) })},
	{name: "welcome-tmpfs-file", greet: welcomeWith(func() (*os.File, error) { return onDisk("/dev/shm", honestly.size()) })},
	{name: "welcome-unsealed", greet: welcomeWith(honestMemory(0, 0))},
	{name: "welcome-may-grow", greet: welcomeWith(honestMemory(0, sealShrink))},
	{name: "welcome-may-shrink", greet: welcomeWith(honestMemory(0, sealGrow))},
	{name: "welcome-too-small", greet: welcomeWith(honestMemory(-4096, sealSize))},
	{name: "welcome-too-large", greet: welcomeWith(honestMemory(4096, sealSize))},
	{name: "welcome-empty", greet: welcomeWith(sealed(0, sealSize))},
	{name: "welcome-read-only", want: os.ErrPermission, greet: welcomeWith(func() (*os.File, error) { return readOnly(honestly.size()) })},
	{name: "welcome-sealed-against-writing", want: os.ErrPermission, greet: welcomeWith(honestMemory(0, sealSize|unix.F_SEAL_WRITE))},
	{name: "refuse-with-a-descriptor", want: partywall.ErrBusy, greet: func(l *lyingServer) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		return l.send(msgRefuse, encode(refusal{Code: 3}), f)
	}},
	{name: "handshake-stalls-halfway-with-a-descriptor", want: os.ErrDeadlineExceeded, greet: func(l *lyingServer) error {
		f, err := notMemory()
		if err != nil {
			return err
		}
		return l.raw(frame(msgWelcome, true, []byte("\xa4")), f)
	}},
}
