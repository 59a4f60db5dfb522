package compare_test

import (
	"errors"
	"image"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall"
	"github.com/partywall/partywall/examples/compare"
)

// stop returns when the server has stopped. It answers nothing then, so that it surely
// dies during the call.
func (s *server) stop() {
	s.t.Helper()
	if err := s.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(s.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || !status.Stopped() {
			s.t.Fatalf("the server does not stop: %v, status %x", err, status)
		}
		return
	}
}

func TestServerKilledDuringCall(t *testing.T) {
	p := build(t)
	s := p.serve(t)
	conn := dial(t)
	source, err := compare.Sample(200, 100)
	if err != nil {
		t.Fatal(err)
	}
	options := compare.Options{Difference: func(*image.NRGBA) error { return nil }}
	if _, err := compare.Ask(t.Context(), conn, source, options); err != nil {
		t.Fatal(err)
	}
	s.stop()
	asked := make(chan error, 1)
	go func() {
		_, err := compare.Ask(t.Context(), conn, source, options)
		asked <- err
	}()
	s.kill()
	if err := <-asked; !errors.Is(err, partywall.ErrPeerGone) {
		t.Errorf("got %v, want %v", err, partywall.ErrPeerGone)
	}
}

// The client's user gets one line, whichever step the server's death meets.
func TestServerKilledUnderClient(t *testing.T) {
	p := build(t)
	left, right := p.pair(t)
	s := p.serve(t)
	s.stop()
	client := exec.Command(program("client"), left, right)
	var stderr strings.Builder
	client.Stderr = &stderr
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	s.kill()
	_ = client.Wait() // the state says more
	f := finished{client.ProcessState.ExitCode(), "", stderr.String()}
	f.fails(t, 1, `client: `, `"compare"`)
	t.Log(f.stderr)
}
