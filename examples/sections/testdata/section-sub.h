/* What the article's SectionASub and SectionBSub have in common: TITLE, MESSAGE, SETTER and VALUE differ. */
#include <windows.h>
#include <stdio.h>

typedef void (*DllSetFun)(int);
static DllSetFun setFunData;

static LRESULT CALLBACK proc(HWND window, UINT message, WPARAM w, LPARAM l)
{
	switch (message) {
	case MESSAGE:
		setFunData(VALUE);
		PostMessageW(FindWindowW(NULL, L"SectionMain"), MESSAGE, 0, 0);
		return 0;
	case WM_DESTROY:
		PostQuitMessage(0);
		return 0;
	}
	return DefWindowProcW(window, message, w, l);
}

int wmain(void)
{
	HMODULE dll = LoadLibraryW(L"SectionDLL.dll");
	if (dll)
		setFunData = (DllSetFun)(void (*)(void))GetProcAddress(dll, SETTER);
	if (!setFunData) {
		fprintf(stderr, "SectionDLL.dll or its function is missing\n");
		return 1;
	}
	WNDCLASSW class = {.lpfnWndProc = proc, .lpszClassName = TITLE, .hInstance = GetModuleHandleW(NULL)};
	if (!RegisterClassW(&class) ||
	    !CreateWindowW(TITLE, TITLE, WS_OVERLAPPEDWINDOW | WS_VISIBLE, 0, 0, 420, 140, NULL, NULL, class.hInstance, NULL))
		return 1;
	for (MSG m; GetMessageW(&m, NULL, 0, 0) > 0;)
		DispatchMessageW(&m);
	return 0;
}
