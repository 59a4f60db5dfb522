// Package instance lets a program run once, and has its later launches handed over to the process
// that runs.
//
// Somebody opens a second file in an editor that is open, or starts a service again that runs. The
// first process that calls [Acquire] with a name is the one; every later one hands over what
// it was started with and learns that the first has it:
//
//	inst, err := instance.Acquire(ctx, "myapp")
//	switch {
//	case errors.Is(err, partywall.ErrRunning):
//		return nil // the first has opened our files: nothing left to do
//	case err != nil:
//		return err // ErrUnreachable among others: one runs, and hangs; the text says which
//	}
//	defer inst.Close()
//	open(dir, os.Args[1:])
//	for launch, err := range inst.Launches(ctx) {
//		if err != nil {
//			return err
//		}
//		open(launch.Dir, launch.Args) // and put the window in front
//	}
//
// # What is promised
//
//   - One process is the first, however many start at once. The name is a lock that the kernel holds,
//     never a process id in a file: whatever the first dies of, the next start works.
//   - Arguments arrive byte for byte, from the process that the kernel says they are from, which belongs
//     to the same user.
//   - A later process is told that its launch was taken when a [Instance.Launches] loop has it, and not
//     before. A first process that hangs, is stopped, or may not be spoken to is an error of
//     its own, within a bounded time: [partywall.ErrUnreachable].
//
// # Names
//
// A name belongs to a user and a run directory, see call.Dir: two users who run the program run two first instances.
// On Windows the sessions of one user share the names, and processes in two of them cannot reach each other. A
// program that wants one instance for each session, or for each document, puts that into the name.
//
// # Windows
//
// There, a window may come to the front only if the user's last input was for its process. The later process
// has that right, having been started by the user, and passes it on right before it hands
// its launch over (AllowSetForegroundWindow). What is left to the first is to call SetForegroundWindow.
//
// [InImage] is another way to notice other instances there, without names: a counter in the program's own file.
//
// docs/SINGLE.md tells it all for programs with windows, services, and command lines.
package instance
