package winapi

//go:generate go run -modfile=../../tools/go.mod golang.org/x/sys/windows/mkwinsyscall -output zsyscall_unsafe_windows.go memory_windows.go message_windows.go object_windows.go paint_windows.go window_windows.go
