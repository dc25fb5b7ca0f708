// The only place where LibTorch headers come in. Included by .cpp files below models/ and by the engine's own headers,
// never by an interface that others see.
#pragma once

// clang 14 in C++20 mode needs this one before the rest of LibTorch.
#include <ATen/core/ivalue.h>
//
#include <torch/torch.h>
