package winapi

import "golang.org/x/sys/windows"

// What a handle refers to, and what the processor and its clock say.

//sys	NtQueryEvent(event windows.Handle, class uint32, info *EventBasicInformation, size uint32, returned *uint32) (ntstatus error) = ntdll.NtQueryEvent
//sys	NtQuerySection(section windows.Handle, class uint32, info *SectionBasicInformation, size uintptr, returned *uintptr) (ntstatus error) = ntdll.NtQuerySection
//sys	PeekNamedPipe(pipe windows.Handle, buffer *byte, size uint32, read *uint32, available *uint32, left *uint32) (err error) = kernel32.PeekNamedPipe
//sys	WaitNamedPipe(name *uint16, milliseconds uint32) (err error) = kernel32.WaitNamedPipeW
//sys	QueryPerformanceCounter(count *int64) (err error) = kernel32.QueryPerformanceCounter
//sys	QueryPerformanceFrequency(perSecond *int64) (err error) = kernel32.QueryPerformanceFrequency
//sys	GetHandleInformation(handle windows.Handle, flags *uint32) (err error) = kernel32.GetHandleInformation
//sys	GetCurrentProcessorNumber() (number uint32) = kernel32.GetCurrentProcessorNumber
//sys	SwitchToThread() (switched bool) = kernel32.SwitchToThread

// EventBasicInformation is EVENT_BASIC_INFORMATION, as ntdll's headers have it:
//
//	typedef struct _EVENT_BASIC_INFORMATION {
//	  EVENT_TYPE EventType;
//	  LONG       EventState;
//	} EVENT_BASIC_INFORMATION, *PEVENT_BASIC_INFORMATION;
type EventBasicInformation struct {
	EventType  int32
	EventState int32
}

// SynchronizationEvent is the EventType of an event that wakes one waiter, and is reset by that.
const SynchronizationEvent = 1

// SectionBasicInformation is SECTION_BASIC_INFORMATION, as ntdll's headers have it:
//
//	typedef struct _SECTION_BASIC_INFORMATION {
//	  PVOID         BaseAddress;
//	  ULONG         AllocationAttributes;
//	  LARGE_INTEGER MaximumSize;
//	} SECTION_BASIC_INFORMATION, *PSECTION_BASIC_INFORMATION;
type SectionBasicInformation struct {
	BaseAddress          uintptr
	AllocationAttributes uint32
	MaximumSize          int64
}

const (
	SEC_FILE    = 0x800000 // of AllocationAttributes
	SEC_IMAGE   = 0x1000000
	SEC_RESERVE = 0x4000000
	SEC_COMMIT  = 0x8000000

	// What a section or an event may be used for.
	SECTION_QUERY      = 0x1
	SECTION_MAP_WRITE  = 0x2
	SECTION_MAP_READ   = 0x4
	EVENT_QUERY_STATE  = 0x1
	EVENT_MODIFY_STATE = windows.EVENT_MODIFY_STATE
)
