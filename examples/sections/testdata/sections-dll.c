/* The article's SectionDLL: two shared sections with an int each. The attribute is gcc's word for the
   linker's /section:SectionA,rws. */
#include <windows.h>

__attribute__((section("SectionA"), shared)) int shareDataA = 0;
__attribute__((section("SectionB"), shared)) int shareDataB = 0;

__declspec(dllexport) void setDataA(int in) { shareDataA = in; }
__declspec(dllexport) int getDataA(void) { return shareDataA; }
__declspec(dllexport) void setDataB(int in) { shareDataB = in; }
__declspec(dllexport) int getDataB(void) { return shareDataB; }
