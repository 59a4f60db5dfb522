//go:build partywall_weak && (linux || windows)

package call

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/internal/proctest"
)

// TestWeakFalls runs attacks against a build that leaves out checks, each in processes of
// its own, since the victim may crash. That they succeed shows that they can: a
// hostile-peer test which nothing can fail proves nothing.
func TestWeakFalls(t *testing.T) {
	bites := fight(t, slices.DeleteFunc(weakAttacks(), func(attack string) bool {
		return !slices.ContainsFunc(append(biting, "no-lie"), func(name string) bool { return strings.HasSuffix(attack, "/^"+name+"$") })
	}))
	for _, name := range biting {
		if !slices.ContainsFunc(bites, func(b string) bool { return strings.Contains(b, "/"+name+" ") }) {
			t.Errorf("%s does not succeed against the weak build", name)
		}
	}
	for _, b := range bites {
		if t.Log(b); strings.Contains(b, "no-lie") {
			t.Errorf("an honest peer does not get through: %s", b)
		}
	}
}

// TestWeakSurvey runs all the attacks, and says which of them succeed. It takes minutes, and
// make weak does without it.
func TestWeakSurvey(t *testing.T) {
	for _, b := range fight(t, weakAttacks()) {
		t.Log(b)
	}
}

func weakAttacks() (attacks []string) {
	for _, a := range allClientLies() {
		attacks = append(attacks, "^TestHostileClient$/^"+a.name+"$")
	}
	for _, a := range interceptedLies {
		attacks = append(attacks, "^TestHostileIntercepted$/^"+a.name+"$")
	}
	for _, a := range allServerLies() {
		attacks = append(attacks, "^TestHostileServer$/^"+a.name+"$")
	}
	return attacks
}

// biting are some attacks that succeed if nothing else than the check they are about is
// left out, for each of the checks.
var biting = strings.Fields(`
	seq-goes-back
	flags-one-unknown arglen-one-more fixed-in-region place-one-less describe-with-argument document-over-limit meta-over-limit
	layout-one-too-long place-resultlen-one-more dynamic-result-long`)

// fight runs attacks a few at a time and returns those that succeed, with how.
func fight(t *testing.T, attacks []string) (bites []string) {
	results := make([]string, len(attacks))
	next := make(chan int)
	var fighters sync.WaitGroup
	for range 3 {
		fighters.Go(func() {
			for i := range next {
				results[i] = fall(t, attacks[i])
			}
		})
	}
	for i := range attacks {
		next <- i
	}
	close(next)
	fighters.Wait()
	for i, result := range results {
		if result != "" {
			name := strings.NewReplacer("^", "", "$", "").Replace(attacks[i])
			bites = append(bites, fmt.Sprintf("%-50s %s", name, result))
		}
	}
	slices.Sort(bites)
	return bites
}

// fall runs one attack and says how the victim fell, if it did.
func fall(t *testing.T, attack string) string {
	ctx, cancel := context.WithTimeout(t.Context(), proctest.Watchdog/2)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run="+attack)
	cmd.Env = append(os.Environ(), weakVariable+"=1")
	cmd.WaitDelay = time.Second // the liar outlives a victim that crashes
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	for _, sign := range []string{"SIGBUS", "SIGSEGV", "fatal error:", "panic:", "DATA RACE"} {
		if i := strings.Index(string(out), sign); i >= 0 {
			line, _, _ := strings.Cut(string(out[i:]), "\n")
			return "the victim crashes: " + line
		}
	}
	if ctx.Err() != nil {
		return "the victim hangs"
	}
	for line := range strings.Lines(string(out)) {
		if _, what, ok := strings.Cut(line, "_test.go:"); ok {
			_, what, _ = strings.Cut(what, ": ")
			return "the victim does not notice: " + strings.TrimSpace(what)
		}
	}
	return fmt.Sprintf("the victim fails: %v", err)
}
