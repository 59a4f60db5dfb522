// A DLL with an initialised section of its own that is not shared, as a C compiler makes
// it: the test turns it into a shared one. The variable has eight bytes, at the section's
// beginning.
#include <stdint.h>

__attribute__((section("SectionA"), used)) volatile uint64_t shareDataA = 40;

// The same, shared by the compiler.
__attribute__((section("SectionB"), shared, used)) volatile uint64_t shareDataB = 40;

__declspec(dllexport) uint64_t getDataA(void) { return shareDataA; }
__declspec(dllexport) void setDataA(uint64_t value) { shareDataA = value; }
__declspec(dllexport) uint64_t getDataB(void) { return shareDataB; }
__declspec(dllexport) void setDataB(uint64_t value) { shareDataB = value; }
