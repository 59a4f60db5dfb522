// The client of article A in C: the neutral peer that the Windows tests talk to. It takes
// the article's nine steps, and no other:
//
//     1  FindWindow                 6  SendMessage
//     2  GetWindowThreadProcessId   7  the server's answer
//     3  OpenProcess                8  ReadProcessMemory
//     4  VirtualAllocEx             9  VirtualFreeEx
//     5  WriteProcessMemory
//
// It prints the result as "red=2.00,blue=1.00" (the article's client swaps the two). A step
// that fails is named on standard error, and its number is the exit code; the block is freed
// all the same. Wrong usage has exit code 64.
//
//     --title T         the server's window; CompareServer if not given
//     --repeat N        steps 5 to 8 N times; each result has to be red 2 and blue 1
//     --short           says that the block has 8 bytes
//     --bad-address     sends an address where there is no memory
//     --read-only       sends the address of a block that may only be read
//     --copydata TEXT   steps 1 and 6 only: sends TEXT in UTF-8, without a final 0, as
//                       WM_COPYDATA with dwData 7 and the handle of a message-only window
//
// The last four print the server's answer, as "answer -1", and take any answer; a last error
// that SendMessage leaves with answer 0 is told on standard error. WM_COPYDATA that comes back
// meanwhile is printed as "got DWDATA TEXT".
#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

enum { WM_COMPAREIMAGE = WM_USER + 100 };

typedef struct {
	double red;
	double blue;
} MyInfo;

// What lies in the server.
static HANDLE process;
static void *block;

static const struct {
	const wchar_t *flag;
	bool value;
} options[] = {
	{L"--title", true}, {L"--repeat", true}, {L"--short", false},
	{L"--bad-address", false}, {L"--read-only", false}, {L"--copydata", true},
};

// Step 9, and the handle. True if there was nothing to free, too.
static bool free_block(void)
{
	bool freed = block == NULL || VirtualFreeEx(process, block, 0, MEM_RELEASE);
	DWORD error = GetLastError();
	block = NULL;
	if (process != NULL)
		CloseHandle(process);
	process = NULL;
	SetLastError(error);
	return freed;
}

_Noreturn static void leave(int code)
{
	free_block();
	fflush(stdout);
	exit(code);
}

_Noreturn static void fail(int step, const char *what)
{
	DWORD error = GetLastError();
	fprintf(stderr, "compare-client: step %d, %s: error %lu\n", step, what, error);
	leave(step);
}

_Noreturn static void usage(const char *why)
{
	fprintf(stderr, "compare-client: %s\nusage: compare-client", why);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		fprintf(stderr, " [%ls%s]", options[i].flag, options[i].value ? " VALUE" : "");
	fputc('\n', stderr);
	exit(64);
}

// Step 6 where every answer will do.
static void send_and_tell(HWND server, UINT message, WPARAM wParam, LPARAM lParam)
{
	SetLastError(0);
	LRESULT answer = SendMessageW(server, message, wParam, lParam);
	DWORD error = GetLastError();
	printf("answer %lld\n", (long long)answer);
	fflush(stdout);
	if (answer == 0 && error != 0)
		fprintf(stderr, "compare-client: SendMessage left error %lu\n", error);
}

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wParam, LPARAM lParam)
{
	if (message != WM_COPYDATA)
		return DefWindowProcW(window, message, wParam, lParam);
	const COPYDATASTRUCT *data = (const COPYDATASTRUCT *)lParam;
	printf("got %llu ", (unsigned long long)data->dwData);
	fwrite(data->lpData, 1, data->cbData, stdout);
	putchar('\n');
	fflush(stdout);
	return TRUE;
}

static void send_copydata(HWND server, const wchar_t *text)
{
	WNDCLASSEXW class = {
		.cbSize = sizeof class,
		.lpfnWndProc = procedure,
		.hInstance = GetModuleHandleW(NULL),
		.lpszClassName = L"CompareClientC",
	};
	if (!RegisterClassExW(&class))
		fail(6, "RegisterClassEx");
	HWND own = CreateWindowExW(0, class.lpszClassName, L"", 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, class.hInstance, NULL);
	if (own == NULL)
		fail(6, "CreateWindowEx");
	int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	char *bytes = size > 0 ? malloc((size_t)size) : NULL;
	if (bytes == NULL || WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size, NULL, NULL) != size)
		fail(6, "WideCharToMultiByte");
	COPYDATASTRUCT data = {.dwData = 7, .cbData = (DWORD)(size - 1), .lpData = bytes};
	send_and_tell(server, WM_COPYDATA, (WPARAM)own, (LPARAM)&data);
	free(bytes);
	DestroyWindow(own);
}

// Step 4 for an address where there is no memory. It lies in the middle of a block that was
// freed: whatever the server allocates next goes to the block's beginning.
static void *no_memory(void)
{
	enum { size = 1 << 20 };
	char *free_place = VirtualAllocEx(process, NULL, size, MEM_RESERVE, PAGE_NOACCESS);
	if (free_place == NULL)
		fail(4, "VirtualAllocEx");
	if (!VirtualFreeEx(process, free_place, 0, MEM_RELEASE))
		fail(9, "VirtualFreeEx");
	return free_place + size / 2;
}

// Step 5.
static void write_argument(void)
{
	const MyInfo argument = {.red = 3333, .blue = 20.01};
	SIZE_T written = 0;
	if (!WriteProcessMemory(process, block, &argument, sizeof argument, &written) || written != sizeof argument)
		fail(5, "WriteProcessMemory");
}

// Steps 5 to 8.
static MyInfo request(HWND server)
{
	write_argument();

	SetLastError(0);
	LRESULT answer = SendMessageW(server, WM_COMPAREIMAGE, sizeof(MyInfo), (LPARAM)block);
	if (answer == 0 && GetLastError() != 0)
		fail(6, "SendMessage");

	if (answer != 0) {
		fprintf(stderr, "compare-client: step 7, the server: answer %lld\n", (long long)answer);
		leave(7);
	}

	MyInfo result;
	SIZE_T read = 0;
	if (!ReadProcessMemory(process, block, &result, sizeof result, &read) || read != sizeof result)
		fail(8, "ReadProcessMemory");
	return result;
}

int wmain(int argc, wchar_t **argv)
{
	_setmode(_fileno(stdout), _O_BINARY); // lines end in \n
	_setmode(_fileno(stderr), _O_BINARY);
	const wchar_t *title = L"CompareServer", *copydata = NULL;
	long repeat = 0;
	bool is_short = false, bad_address = false, read_only = false;
	for (int i = 1; i < argc; i++) {
		size_t known = sizeof options / sizeof *options, n = 0;
		while (n < known && wcscmp(argv[i], options[n].flag) != 0)
			n++;
		if (n == known)
			usage("an option that it does not know");
		if (options[n].value && ++i == argc)
			usage("an option lacks its value");
		switch (n) {
		case 0: title = argv[i]; break;
		case 1: repeat = wcstol(argv[i], NULL, 10); break;
		case 2: is_short = true; break;
		case 3: bad_address = true; break;
		case 4: read_only = true; break;
		case 5: copydata = argv[i]; break;
		}
		if (n == 1 && repeat < 1)
			usage("--repeat needs a number");
	}
	if ((repeat > 0) + is_short + bad_address + read_only + (copydata != NULL) > 1)
		usage("one of these at a time, besides --title");

	SetLastError(0);
	HWND server = FindWindowW(NULL, title);
	if (server == NULL)
		fail(1, "FindWindow");

	if (copydata != NULL) {
		send_copydata(server, copydata);
		return 0;
	}

	DWORD pid = 0;
	if (GetWindowThreadProcessId(server, &pid) == 0 || pid == 0)
		fail(2, "GetWindowThreadProcessId");

	process = OpenProcess(PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_VM_READ, FALSE, pid);
	if (process == NULL)
		fail(3, "OpenProcess");

	if (bad_address) {
		send_and_tell(server, WM_COMPAREIMAGE, sizeof(MyInfo), (LPARAM)no_memory());
		free_block();
		return 0;
	}

	block = VirtualAllocEx(process, NULL, sizeof(MyInfo), MEM_COMMIT, PAGE_READWRITE);
	if (block == NULL)
		fail(4, "VirtualAllocEx");

	if (is_short || read_only) {
		write_argument();
		DWORD before;
		if (read_only && !VirtualProtectEx(process, block, sizeof(MyInfo), PAGE_READONLY, &before))
			fail(5, "VirtualProtectEx");
		send_and_tell(server, WM_COMPAREIMAGE, is_short ? 8 : sizeof(MyInfo), (LPARAM)block);
		// A write to the read-only block may have ended the server, and the block with it.
		if (!free_block() && is_short)
			fail(9, "VirtualFreeEx");
		return 0;
	}

	MyInfo result = request(server);
	for (long i = 0; i < repeat; i++) {
		if (i > 0)
			result = request(server);
		if (result.red != 2 || result.blue != 1) {
			fprintf(stderr, "compare-client: step 8, request %ld of %ld: red=%.2f,blue=%.2f\n", i + 1, repeat, result.red, result.blue);
			leave(8);
		}
	}

	if (!free_block())
		fail(9, "VirtualFreeEx");
	printf("red=%.2f,blue=%.2f\n", result.red, result.blue);
	return 0;
}
