/* The article's SectionMain, which prints what it shows, and with --auto presses Test itself and ends
   when both have answered. */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

#define WM_PMCommA (WM_USER + 100)
#define WM_PMCommB (WM_USER + 101)
#define TEST 1000

typedef int (*DllGetFun)(void);
static DllGetFun getFunDataA, getFunDataB;
static int automatic, responses;

static void show(char letter, int data)
{
	printf("%c response ,the data is :%d\n", letter, data);
	fflush(stdout);
	responses |= letter == 'A' ? 1 : 2;
	if (automatic && responses == 3)
		PostQuitMessage(0);
}

static LRESULT CALLBACK proc(HWND window, UINT message, WPARAM w, LPARAM l)
{
	switch (message) {
	case WM_PMCommA:
		show('A', getFunDataA());
		return 0;
	case WM_PMCommB:
		show('B', getFunDataB());
		return 0;
	case WM_COMMAND:
		if (LOWORD(w) == TEST) {
			PostMessageW(FindWindowW(NULL, L"SectionASub"), WM_PMCommA, 0, 0);
			PostMessageW(FindWindowW(NULL, L"SectionBSub"), WM_PMCommB, 0, 0);
		}
		return 0;
	case WM_DESTROY:
		PostQuitMessage(0);
		return 0;
	}
	return DefWindowProcW(window, message, w, l);
}

/* Starts a child that lies beside this program, unless its window is there, and waits for the window. */
static int child(const wchar_t *title, HANDLE *process)
{
	wchar_t path[MAX_PATH + 32];
	STARTUPINFOW start = {.cb = sizeof start};
	PROCESS_INFORMATION info;
	*process = NULL;
	if (FindWindowW(NULL, title))
		return 1;
	GetModuleFileNameW(NULL, path, MAX_PATH);
	wchar_t *name = wcsrchr(path, L'\\');
	swprintf(name ? name + 1 : path, 32, L"%ls.exe", title);
	if (!CreateProcessW(path, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &start, &info))
		return 0;
	CloseHandle(info.hThread);
	*process = info.hProcess;
	for (int i = 0; i < 3000 && !FindWindowW(NULL, title); i++)
		if (WaitForSingleObject(info.hProcess, 10) == WAIT_OBJECT_0)
			return 0;
	return FindWindowW(NULL, title) != NULL;
}

static void end(const wchar_t *title, HANDLE process)
{
	if (!process)
		return;
	PostMessageW(FindWindowW(NULL, title), WM_CLOSE, 0, 0);
	WaitForSingleObject(process, 30000);
	CloseHandle(process);
}

int wmain(int argc, wchar_t **argv)
{
	HANDLE a = NULL, b = NULL;
	automatic = argc > 1 && !wcscmp(argv[1], L"--auto");
	HMODULE dll = LoadLibraryW(L"SectionDLL.dll");
	if (dll) {
		getFunDataA = (DllGetFun)(void (*)(void))GetProcAddress(dll, "getDataA");
		getFunDataB = (DllGetFun)(void (*)(void))GetProcAddress(dll, "getDataB");
	}
	if (!getFunDataA || !getFunDataB) {
		fprintf(stderr, "SectionDLL.dll or its functions are missing\n");
		return 1;
	}
	WNDCLASSW class = {.lpfnWndProc = proc, .lpszClassName = L"SectionMain", .hInstance = GetModuleHandleW(NULL)};
	RegisterClassW(&class);
	HWND window = CreateWindowW(L"SectionMain", L"SectionMain", WS_OVERLAPPEDWINDOW | WS_VISIBLE, 0, 0, 420, 200, NULL,
				    NULL, class.hInstance, NULL);
	if (!window || !CreateWindowW(L"BUTTON", L"Test", WS_CHILD | WS_VISIBLE, 20, 15, 100, 30, window,
				      (HMENU)(INT_PTR)TEST, class.hInstance, NULL))
		return 1;
	if (!child(L"SectionASub", &a) || !child(L"SectionBSub", &b)) {
		fprintf(stderr, "a child does not start\n");
		return 1;
	}
	if (automatic)
		PostMessageW(window, WM_COMMAND, TEST, 0);
	for (MSG m; GetMessageW(&m, NULL, 0, 0) > 0;)
		DispatchMessageW(&m);
	end(L"SectionASub", a);
	end(L"SectionBSub", b);
	return responses == 3 || !automatic ? 0 : 1;
}
