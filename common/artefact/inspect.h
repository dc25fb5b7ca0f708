// What a generator file is, for people: one page that a data protection officer can read, and the same as JSON.
//
// Inspect repeats what the file says of itself; only Verify checks it.
#pragma once

#include <string>

#include "common/artefact/generator_file.h"
#include "common/core/canonical_json.h"

namespace synod {

Json Inspect(const GeneratorFile& file);
std::string InspectText(const GeneratorFile& file);

}  // namespace synod
