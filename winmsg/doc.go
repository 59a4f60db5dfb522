// Package winmsg speaks to the windows of other programs, and serves them: window
// messages whose argument and result lie in memory that the sender owns inside the
// receiver's process. It is a Windows package; elsewhere only [Message] is there.
//
// To invoke is to do what a client of such a program does by hand: allocate a block in
// its process, write a struct there, send a message with the struct's size and
// address, and read back what the program has made of it.
//
//	window, err := winmsg.Find(ctx, winmsg.Title("CompareServer"))
//	defer window.Close()
//	info := MyInfo{Red: 3333, Blue: 20.01}
//	_, err = winmsg.Invoke(ctx, window, winmsg.User+100, &info)
//	// info is what the server has made of it
//
// The other half serves such messages:
//
//	window, err := winmsg.NewWindow(winmsg.Title("CompareServer"), winmsg.Visible(),
//		winmsg.Prepare(func(w *winmsg.OwnWindow) {
//			winmsg.Handle(w, winmsg.User+100, func(info *MyInfo) uintptr {
//				*info = MyInfo{Red: 2, Blue: 1}
//				return 0
//			})
//		}))
//	<-window.Done()
//
// Neither side has to be written with this package, or in Go: the contract is the
// Windows programmer's old one, a message's number, a size in wParam and an address in
// lParam. A program that wants more than talking to an existing one is better served by
// package call.
//
// docs/WINDOWS.md explains what happens at each step, who may send to whom, and what
// either side has to fear from the other.
package winmsg
