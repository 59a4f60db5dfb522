// Package winapi declares the Windows functions that golang.org/x/sys/windows lacks, and
// nothing else: a //sys line for each, from which mkwinsyscall makes the code, and the
// constants and structs that they need. What they do stands in Microsoft's
// documentation under the same names. On other systems the package is empty.
package winapi
