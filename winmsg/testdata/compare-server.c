// The server of article A in C: the neutral peer that the Windows tests talk to. It does
// what the article's server does and no more; above all it trusts wParam and lParam as that
// one does. A wrong address is an access violation, which Windows may end the process for;
// Wine 8 goes on, and answers 0.
//
//     compare-server [TITLE]
//
// The window has the class CompareServerC and the title TITLE, or else CompareServer. What
// happens is told on standard output, one line each; "ready HWND PID", HWND in hex, is the
// first. The window answers
//
//     WM_USER+100   the article's request: wParam is the size, lParam the address of a MyInfo
//     WM_USER+101   a slow one: sleeps wParam milliseconds, writes 42 into the int32_t at
//                   lParam if that is not 0, answers 5
//     WM_USER+102   ends the process inside the procedure, with exit code 9
//     WM_COPYDATA   answers the size; a window in wParam is first sent the text back as
//                   WM_COPYDATA, ASCII letters upper-cased, with dwData+1
//
// and these lines on standard input:
//
//     hang          the window's thread stops taking messages; "hung" says that it has
//     go            it takes them again; "going" says so
//     quit          the window closes, exit code 0; a hung window has to "go" first
//     die           the process ends at once, exit code 7
//
// The end of standard input is "go" and "quit", so that no server outlives its starter.
#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum {
	WM_COMPAREIMAGE = WM_USER + 100,
	WM_SLOW = WM_USER + 101,
	WM_DIE = WM_USER + 102,
	WM_HANG = WM_APP + 1, // from our own thread that reads standard input
};

typedef struct {
	double red;
	double blue;
} MyInfo;

static HANDLE go;           // set unless the window's thread is to hang
static CRITICAL_SECTION out; // one line at a time
static char shown[800];     // what the window shows; two doubles need up to 2*313 characters

// A line on standard output: a format, then length bytes of text as they are.
static void say_text(const char *text, size_t length, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say_text(const char *text, size_t length, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	EnterCriticalSection(&out);
	vprintf(format, arguments);
	fwrite(text, 1, length, stdout);
	putchar('\n');
	fflush(stdout);
	LeaveCriticalSection(&out);
	va_end(arguments);
}

#define say(...) say_text("", 0, __VA_ARGS__)

static void fail(const char *what)
{
	fprintf(stderr, "compare-server: %s: error %lu\n", what, GetLastError());
	fflush(stderr);
	ExitProcess(1);
}

static LRESULT compare_image(HWND window, WPARAM wParam, LPARAM lParam)
{
	if (wParam < sizeof(MyInfo))
		return -1;
	MyInfo *info = (MyInfo *)lParam;
	snprintf(shown, sizeof shown, "client:red=%.2f,blue=%.2f", info->red, info->blue);
	HDC context = GetDC(window);
	TextOutA(context, 0, 50, shown, (int)strlen(shown));
	ReleaseDC(window, context);
	say("%s", shown);
	info->blue = 1.0;
	info->red = 2.0;
	return 0;
}

static LRESULT slow(WPARAM wParam, LPARAM lParam)
{
	say("slow");
	Sleep((DWORD)wParam);
	if (lParam != 0)
		*(int32_t *)lParam = 42;
	say("slow done");
	return 5;
}

static LRESULT copy_data(HWND window, WPARAM wParam, LPARAM lParam)
{
	const COPYDATASTRUCT *data = (const COPYDATASTRUCT *)lParam;
	HWND sender = (HWND)wParam;
	say_text(data->lpData, data->cbData, "copydata %llu %lu ", (unsigned long long)data->dwData, data->cbData);
	if (!IsWindow(sender))
		return (LRESULT)data->cbData;

	char *upper = malloc((size_t)data->cbData + 1);
	if (upper == NULL)
		fail("malloc");
	for (DWORD i = 0; i < data->cbData; i++) {
		char c = ((const char *)data->lpData)[i];
		upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	COPYDATASTRUCT back = {.dwData = data->dwData + 1, .cbData = data->cbData, .lpData = upper};
	DWORD_PTR answer = 0;
	SetLastError(0);
	if (!SendMessageTimeoutW(sender, WM_COPYDATA, (WPARAM)window, (LPARAM)&back, SMTO_NORMAL, 2000, &answer))
		fprintf(stderr, "compare-server: sending the text back: error %lu\n", GetLastError());
	free(upper);
	return (LRESULT)data->cbData;
}

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wParam, LPARAM lParam)
{
	switch (message) {
	case WM_COMPAREIMAGE:
		return compare_image(window, wParam, lParam);
	case WM_SLOW:
		return slow(wParam, lParam);
	case WM_DIE:
		TerminateProcess(GetCurrentProcess(), 9);
		return 0;
	case WM_COPYDATA:
		return copy_data(window, wParam, lParam);
	case WM_HANG:
		say("hung");
		WaitForSingleObject(go, INFINITE);
		say("going");
		return 0;
	case WM_PAINT: {
		PAINTSTRUCT paint;
		HDC context = BeginPaint(window, &paint);
		TextOutA(context, 0, 50, shown, (int)strlen(shown));
		EndPaint(window, &paint);
		return 0;
	}
	case WM_CLOSE:
		PostQuitMessage(0);
		return 0;
	}
	return DefWindowProcW(window, message, wParam, lParam);
}

static void obey(HWND window, const char *line)
{
	if (strcmp(line, "hang") == 0) {
		ResetEvent(go);
		PostMessageW(window, WM_HANG, 0, 0);
	} else if (strcmp(line, "go") == 0) {
		SetEvent(go);
	} else if (strcmp(line, "quit") == 0) {
		PostMessageW(window, WM_CLOSE, 0, 0);
	} else if (strcmp(line, "die") == 0) {
		TerminateProcess(GetCurrentProcess(), 7);
	} else if (line[0] != '\0') {
		fprintf(stderr, "compare-server: what is %s?\n", line);
	}
}

// Reads with ReadFile and not with stdio, whose lock on stdin would hold up the exit.
static DWORD WINAPI read_lines(void *parameter)
{
	HWND window = parameter;
	HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
	char line[64];
	size_t length = 0;
	char c;
	DWORD got;
	while (ReadFile(in, &c, 1, &got, NULL) && got == 1) {
		if (c == '\n') {
			line[length] = '\0';
			obey(window, line);
			length = 0;
		} else if (c != '\r' && length < sizeof line - 1) {
			line[length++] = c;
		}
	}
	SetEvent(go);
	PostMessageW(window, WM_CLOSE, 0, 0);
	return 0;
}

int wmain(int argc, wchar_t **argv)
{
	_setmode(_fileno(stdout), _O_BINARY); // lines end in \n
	_setmode(_fileno(stderr), _O_BINARY);
	// A crash ends the process, without a dialog box or a debugger.
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
	InitializeCriticalSection(&out);
	go = CreateEventW(NULL, TRUE, TRUE, NULL);
	if (go == NULL)
		fail("CreateEvent");

	WNDCLASSEXW class = {
		.cbSize = sizeof class,
		.lpfnWndProc = procedure,
		.hInstance = GetModuleHandleW(NULL),
		.hCursor = LoadCursorW(NULL, (LPCWSTR)IDC_ARROW),
		.hbrBackground = (HBRUSH)(COLOR_WINDOW + 1),
		.lpszClassName = L"CompareServerC",
	};
	if (!RegisterClassExW(&class))
		fail("RegisterClassEx");
	HWND window = CreateWindowExW(0, class.lpszClassName, argc > 1 ? argv[1] : L"CompareServer",
		WS_OVERLAPPEDWINDOW, CW_USEDEFAULT, CW_USEDEFAULT, 480, 200, NULL, NULL, class.hInstance, NULL);
	if (window == NULL)
		fail("CreateWindowEx");
	ShowWindow(window, SW_SHOWNOACTIVATE);
	UpdateWindow(window);
	say("ready %llx %lu", (unsigned long long)(uintptr_t)window, GetCurrentProcessId());

	HANDLE reader = CreateThread(NULL, 0, read_lines, window, 0, NULL);
	if (reader == NULL)
		fail("CreateThread");
	MSG message;
	BOOL more;
	while ((more = GetMessageW(&message, NULL, 0, 0)) > 0) {
		TranslateMessage(&message);
		DispatchMessageW(&message);
	}
	if (more < 0)
		fail("GetMessage");
	// The window goes with the process. Destroying it takes Wine two seconds where there is no
	// window manager.
	fflush(stdout);
	TerminateProcess(GetCurrentProcess(), 0);
	return 0;
}
