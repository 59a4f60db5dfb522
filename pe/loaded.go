package pe

// Loaded reads the headers of a module that is loaded into this process, as GetModuleHandle
// and LoadLibrary return it: the address where its image begins. Addresses relative to the
// image are its offsets.
//
// Memory that is not there, or that the process itself may not read, is an error
// that wraps [ErrUnmapped], and so is a module that is unloaded meanwhile, unless
// something else is at its addresses by then. What the loader or the program has
// changed is read as it is now: addresses of imports, relocated pointers, variables.
//
// Only Windows has such modules. On other systems the error wraps
// partywall.ErrNotSupported.
func Loaded(module uintptr) (*File, error) { return loaded(module) }
