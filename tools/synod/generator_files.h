// Opens published generator files for the commands that use them.
#pragma once

#include <memory>
#include <string>

#include "common/artefact/generator_file.h"
#include "common/core/result.h"
#include "models/family.h"

namespace synod {

// The generator inside a file that was read. Loads the compute module only where the model needs LibTorch.
Result<std::unique_ptr<Generator>> GeneratorOf(const GeneratorFile& file);

}  // namespace synod
