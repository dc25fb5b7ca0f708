// Keeps memory that tensors have freed, for the next pass.
//
// By default the C library hands large blocks back to the system as soon as they are freed and takes them anew a
// millisecond later; the page faults of that can cost more than the arithmetic, above all where batches differ in size.
#pragma once

namespace synod::engine {

// For the whole process, once, at the start of a program that trains. The process keeps its largest footprint until it
// ends; how large that is, passes bound (pass_plan.h).
void KeepFreedMemory();

}  // namespace synod::engine
