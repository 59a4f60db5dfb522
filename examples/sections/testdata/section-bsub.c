/* The article's SectionBSub. */
#define TITLE L"SectionBSub"
#define MESSAGE (WM_USER + 101)
#define SETTER "setDataB"
#define VALUE 20
#include "section-sub.h"
