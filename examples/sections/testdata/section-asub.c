/* The article's SectionASub. */
#define TITLE L"SectionASub"
#define MESSAGE (WM_USER + 100)
#define SETTER "setDataA"
#define VALUE 10
#include "section-sub.h"
