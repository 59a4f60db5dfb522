package model

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var huge = flag.Bool("huge", false, "explore the largest instances too: minutes, and some gigabytes")

// configs are the instances that are explored completely. The race detector
// slows the one goroutine here about tenfold and has nothing to find, so a race build, as
// -short, leaves out large instances, and explores a part of the others.
var configs = []struct {
	Config
	large bool
	huge  bool // explored only with -huge
}{
	{Config: Config{Callers: 4, Calls: 3, Slots: 2, Local: true, Cancel: true}},
	{Config: Config{Callers: 4, Calls: 3, Slots: 1, Local: true, Cancel: true, Death: ServerDies}, large: true},
	{Config: Config{Callers: 1, Calls: 3, Slots: 1, Doze: true}},
	{Config: Config{Callers: 1, Calls: 3, Slots: 1, Doze: true, Cancel: true, Death: ClientDies | ServerDies}},
	{Config: Config{Callers: 1, Calls: 2, Slots: 1, Handlers: Either, Doze: true, Cancel: true, Death: ClientDies | ServerDies}},
	{Config: Config{Callers: 1, Calls: 2, Slots: 1, Handlers: Either, Overtake: true, Cancel: true}, large: true},
	{Config: Config{Callers: 1, Calls: 2, Slots: 1, Overtake: true, Doze: true, Leave: true, Death: ClientDies | ServerDies}, large: true},
	{Config: Config{Callers: 1, Calls: 5, Slots: 1}},
	{Config: Config{Callers: 2, Calls: 1, Slots: 1, Handlers: Either, Cancel: true, Death: ClientDies | ServerDies}},
	{Config: Config{Callers: 1, Calls: 2, Slots: 1, Handlers: Own, Doze: true, Leave: true, Death: ServerDies}},
	{Config: Config{Callers: 2, Calls: 1, Slots: 1, Leave: true, Overtake: true}, huge: true},
	{Config: Config{Callers: 2, Calls: 2, Slots: 1}, large: true},
	{Config: Config{Callers: 1, Calls: 3, Slots: 1, Recheck: true}},
	{Config: Config{Callers: 2, Calls: 1, Slots: 1, Recheck: true, Cancel: true, Death: ServerDies}},
	{Config: Config{Callers: 2, Calls: 1, Slots: 2, Doze: true}},
	{Config: Config{Callers: 2, Calls: 1, Slots: 2, Doze: true, Cancel: true, Death: ServerDies}, large: true},
	{Config: Config{Callers: 2, Calls: 1, Slots: 2, Overtake: true, Doze: true}, large: true},
	{Config: Config{Callers: 3, Calls: 1, Slots: 1}, large: true},
	{Config: Config{Callers: 3, Calls: 2, Slots: 1, Local: true, Cancel: true, Close: true}},
	{Config: Config{Callers: 1, Calls: 3, Slots: 1, Cancel: true, Close: true, List: true}, large: true},
	{Config: Config{Callers: 2, Calls: 1, Slots: 1, Cancel: true, Close: true, List: true}},
	{Config: Config{Callers: 2, Calls: 1, Slots: 2, List: true}, large: true},
	{Config: Config{Callers: 1, Leases: 1, Calls: 3, Slots: 1, Cancel: true, Close: true, List: true}, large: true},
	{Config: Config{Callers: 1, Leases: 1, Calls: 4, Slots: 1, Cancel: true}, large: true},
	{Config: Config{Callers: 1, Leases: 1, Calls: 2, Slots: 1, Handlers: Either, Cancel: true, Death: ClientDies | ServerDies, List: true}, large: true},
	{Config: Config{Callers: 1, Leases: 1, Calls: 2, Slots: 1, Cancel: true, Leave: true}},
	{Config: Config{Callers: 2, Leases: 1, Calls: 1, Slots: 1, Cancel: true, Close: true}, large: true},
	{Config: Config{Callers: 2, Leases: 1, Calls: 1, Slots: 1, Cancel: true, List: true}, large: true},
	{Config: Config{Callers: 2, Leases: 2, Calls: 1, Slots: 1, Cancel: true, Close: true, List: true}, large: true},
	{Config: Config{Callers: 2, Leases: 1, Calls: 1, Slots: 2, Cancel: true, Death: ServerDies}, huge: true},
	{Config: Config{Callers: 1, Leases: 1, Calls: 2, Slots: 1, Overtake: true, Cancel: true, Close: true}, huge: true},
	{Config: Config{Callers: 2, Calls: 1, Slots: 2, Handlers: Own}, huge: true},
	{Config: Config{Callers: 1, Calls: 3, Slots: 1, Handlers: Either}, huge: true},
	{Config: Config{Callers: 2, Calls: 2, Slots: 1, Cancel: true, Death: ServerDies}, huge: true},
	{Config: Config{Callers: 1, Calls: 2, Slots: 1, Handlers: Either, Overtake: true, Doze: true, Cancel: true}, huge: true},
	{Config: Config{Callers: 2, Calls: 2, Slots: 1, Doze: true}, huge: true},
}

// TestExplore explores the protocol as it should be: nothing may be violated.
func TestExplore(t *testing.T) {
	var states, transitions int
	start := time.Now()
	for _, c := range configs {
		t.Run(c.String(), func(t *testing.T) {
			if c.huge && !*huge {
				t.Skip("huge: see -huge")
			}
			if c.large && (raceEnabled || testing.Short()) {
				t.Skip("large")
			}
			began := time.Now()
			limit := 0
			if raceEnabled {
				limit = 50_000
			}
			r := Explore(&Calls{c.Config}, limit)
			if r.Violation != nil {
				t.Fatal(r.Violation)
			}
			states += r.States
			transitions += r.Transitions
			report(t, c.String(), r, began)
		})
	}
	fmt.Printf("model: total: %d states, %d transitions, %.1f s\n", states, transitions, time.Since(start).Seconds())
}

// report prints one line on standard output, where go test -v shows it.
func report(t *testing.T, name string, r Result, began time.Time) {
	t.Helper()
	fmt.Printf("model: %s: %d states, %d transitions, %.1f s\n", name, r.States, r.Transitions, time.Since(began).Seconds())
}

// mutationConfigs maps each mistake to an instance that is large enough to show it.
var mutationConfigs = map[Mutation]Config{
	WorkerNoSecondLook:     {Callers: 1, Calls: 1, Slots: 1},
	WatcherNoSecondLook:    {Callers: 1, Calls: 1, Slots: 1},
	AbandonFrees:           {Callers: 1, Calls: 2, Slots: 1, Cancel: true},
	TrustPendingBit:        {Callers: 1, Calls: 1, Slots: 1},
	ParkNoLook:             {Callers: 1, Calls: 2, Slots: 1},
	IdleNoLook:             {Callers: 1, Calls: 1, Slots: 1},
	RequestRingFirst:       {Callers: 1, Calls: 1, Slots: 1},
	AnswerRingFirst:        {Callers: 1, Calls: 1, Slots: 1},
	AnswerWaitsFirst:       {Callers: 1, Calls: 1, Slots: 1},
	ParkWaitsLate:          {Callers: 2, Calls: 1, Slots: 2},
	RingOnce:               {Callers: 1, Calls: 2, Slots: 1},
	RoleIgnored:            {Callers: 1, Calls: 2, Slots: 1, Overtake: true},
	NoLastLook:             {Callers: 1, Calls: 1, Slots: 1, Death: ServerDies},
	NoPassOn:               {Callers: 4, Calls: 1, Slots: 2, Local: true},
	HintKeepsSeen:          {Callers: 1, Calls: 1, Slots: 1},
	EndForgetsWatcher:      {Callers: 1, Calls: 1, Slots: 1, Death: ServerDies},
	EndForgetsWorker:       {Callers: 1, Calls: 1, Slots: 1, Death: ClientDies},
	AnswerBeforeLetGo:      {Callers: 1, Calls: 2, Slots: 1, Handlers: Own},
	MarkWithoutNumber:      {Callers: 1, Calls: 3, Slots: 1},
	MonitorRace:            {Callers: 1, Calls: 2, Slots: 1, Overtake: true},
	AbandonBlind:           {Callers: 2, Calls: 1, Slots: 1, Cancel: true},
	IdleForgetsAbandoned:   {Callers: 2, Calls: 1, Slots: 1, Cancel: true},
	ReleaseNoToken:         {Callers: 2, Calls: 1, Slots: 1},
	WaiterNoRetry:          {Callers: 2, Calls: 1, Slots: 1},
	LeaveForgetsHandlers:   {Callers: 1, Calls: 1, Slots: 1, Handlers: Own, Leave: true},
	LeaveNoLook:            {Callers: 1, Calls: 1, Slots: 1, Leave: true},
	MonitorForgetsDoorbell: {Callers: 2, Calls: 1, Slots: 2, Overtake: true},
	EndAtOnce:              {Callers: 1, Calls: 1, Slots: 1, Death: ServerDies},
	ParkForgetsEnd:         {Callers: 1, Calls: 1, Slots: 1, Death: ServerDies},
	ListLate:               {Callers: 1, Leases: 1, Calls: 2, Slots: 1, Cancel: true, Close: true, List: true},
	HandEarly:              {Callers: 1, Calls: 3, Slots: 1, List: true},
	UnmapAfterCallers:      {Callers: 1, Calls: 1, Slots: 1, Close: true},
	UnmapUnderLease:        {Callers: 1, Leases: 1, Calls: 1, Slots: 1, Close: true},
	DropNoToken:            {Callers: 1, Calls: 1, Slots: 1, Death: ServerDies},
	LeaseAbandons:          {Callers: 1, Leases: 1, Calls: 1, Slots: 1, Cancel: true},
	LeaseFrees:             {Callers: 2, Leases: 1, Calls: 1, Slots: 1, Cancel: true},
	LeaseNoWait:            {Callers: 1, Leases: 1, Calls: 2, Slots: 1, Cancel: true},
	LeaseStaysParked:       {Callers: 1, Leases: 1, Calls: 2, Slots: 1, Cancel: true},
	LeaseStaysListed:       {Callers: 1, Leases: 1, Calls: 1, Slots: 1, Cancel: true, Close: true, List: true},
	LeasedLate:             {Callers: 2, Leases: 1, Calls: 1, Slots: 1, Cancel: true},
	EndMarksFirst:          {Callers: 1, Leases: 1, Calls: 1, Slots: 1, Cancel: true, Close: true},
	DozeOldSleep:           {Callers: 1, Calls: 2, Slots: 1, Doze: true},
	DozeLookFirst:          {Callers: 1, Calls: 2, Slots: 1, Doze: true},
	DozeEven:               {Callers: 1, Calls: 2, Slots: 1, Doze: true},
	DozeParksEarly:         {Callers: 2, Calls: 1, Slots: 2, Doze: true},
	DozeForgetsLeave:       {Callers: 1, Calls: 1, Slots: 1, Leave: true, Doze: true},
	StandbyStaysOdd:        {Callers: 1, Calls: 2, Slots: 1, Overtake: true, Doze: true},
}

// TestMutations explores each seeded mistake: a property must be violated.
func TestMutations(t *testing.T) {
	for m := Mutation(1); m < mutations; m++ {
		t.Run(m.String(), func(t *testing.T) {
			c, ok := mutationConfigs[m]
			if !ok {
				t.Fatal("no instance for this mutation")
			}
			c.Mutation = m
			began := time.Now()
			r := Explore(&Calls{c}, 0)
			if r.Violation == nil {
				t.Fatalf("not caught in %d states", r.States)
			}
			report(t, "caught: "+c.String(), r, began)
			t.Log(r.Violation)
		})
	}
}
