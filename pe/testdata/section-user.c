// A C program that shares variables through a DLL which it finds at run time: the neutral
// peer that the Windows tests talk to.
//
//     section-user DLL [TYPE:NAME:GETTER:SETTER]...
//
// TYPE is int32, uint64 or double; GETTER and SETTER are exports of the DLL. It says
// "ready", and obeys lines:
//
//     get NAME          says "NAME VALUE", what the getter returns
//     set NAME VALUE    calls the setter, and says "done"
//
// It ends with its input. What fails is told on standard error; the exit code is then 1, and 64
// for wrong usage.
#include <fcntl.h>
#include <inttypes.h>
#include <io.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

typedef int32_t(__cdecl *get_int32)(void);
typedef void(__cdecl *set_int32)(int32_t);
typedef uint64_t(__cdecl *get_uint64)(void);
typedef void(__cdecl *set_uint64)(uint64_t);
typedef double(__cdecl *get_double)(void);
typedef void(__cdecl *set_double)(double);

enum { max_variables = 16, max_name = 64 };

static struct variable {
	char type[max_name], name[max_name];
	FARPROC get, set;
} variables[max_variables];
static int count;

_Noreturn static void fail(int code, const char *what, const char *which)
{
	DWORD error = GetLastError();
	fprintf(stderr, "section-user: %s %s: error %lu\n", what, which, error);
	exit(code);
}

static FARPROC resolve(HMODULE dll, const char *name)
{
	FARPROC p = GetProcAddress(dll, name);
	if (p == NULL)
		fail(1, "GetProcAddress", name);
	return p;
}

// A cast from FARPROC to another function's type needs a step between.
#define CALL(type, function) ((type)(void (*)(void))(function))

static void add_variable(HMODULE dll, const wchar_t *argument)
{
	char text[4 * max_name], getter[max_name], setter[max_name];
	snprintf(text, sizeof text, "%ls", argument);
	struct variable *v = &variables[count];
	if (count == max_variables ||
		sscanf(text, "%63[^:]:%63[^:]:%63[^:]:%63s", v->type, v->name, getter, setter) != 4 ||
		(strcmp(v->type, "int32") != 0 && strcmp(v->type, "uint64") != 0 && strcmp(v->type, "double") != 0))
		fail(64, "what is", text);
	v->get = resolve(dll, getter);
	v->set = resolve(dll, setter);
	count++;
}

static void get(const struct variable *v)
{
	if (strcmp(v->type, "int32") == 0)
		printf("%s %" PRId32 "\n", v->name, CALL(get_int32, v->get)());
	else if (strcmp(v->type, "uint64") == 0)
		printf("%s %" PRIu64 "\n", v->name, CALL(get_uint64, v->get)());
	else
		printf("%s %.17g\n", v->name, CALL(get_double, v->get)());
	fflush(stdout);
}

static void set(const struct variable *v, const char *value)
{
	if (strcmp(v->type, "int32") == 0)
		CALL(set_int32, v->set)((int32_t)strtol(value, NULL, 10));
	else if (strcmp(v->type, "uint64") == 0)
		CALL(set_uint64, v->set)(strtoull(value, NULL, 10));
	else
		CALL(set_double, v->set)(strtod(value, NULL));
	puts("done");
	fflush(stdout);
}

static void obey(const char *line)
{
	char verb[max_name] = "", name[max_name] = "", value[max_name] = "";
	int words = sscanf(line, "%63s %63s %63s", verb, name, value);
	for (int i = 0; i < count; i++) {
		if (strcmp(variables[i].name, name) != 0)
			continue;
		if (words == 2 && strcmp(verb, "get") == 0) {
			get(&variables[i]);
			return;
		}
		if (words == 3 && strcmp(verb, "set") == 0) {
			set(&variables[i], value);
			return;
		}
	}
	fail(64, "what is", line);
}

int wmain(int argc, wchar_t **argv)
{
	_setmode(_fileno(stdout), _O_BINARY); // lines end in \n
	_setmode(_fileno(stderr), _O_BINARY);
	if (argc < 2)
		fail(64, "usage: section-user DLL", "[TYPE:NAME:GETTER:SETTER]...");
	HMODULE dll = LoadLibraryW(argv[1]);
	if (dll == NULL)
		fail(1, "LoadLibrary", "of the first argument");
	for (int i = 2; i < argc; i++)
		add_variable(dll, argv[i]);
	puts("ready");
	fflush(stdout);
	char line[4 * max_name];
	while (fgets(line, sizeof line, stdin) != NULL)
		obey(line);
	return 0;
}
