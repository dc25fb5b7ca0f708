#include "common/artefact/inspect.h"

#include <filesystem>

#include "common/consortium/verify_in_consortium.h"
#include "tools/synod/commands.h"

namespace synod {

Result<CommandOutput> RunInspect(const std::string& generator) {
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(generator));
  CommandOutput output;
  output.data = Inspect(file);
  output.text = InspectText(file);
  return output;
}

Result<CommandOutput> RunVerify(const VerifyOptions& options) {
  const Result<GeneratorFile> read = GeneratorFile::Read(options.generator);
  if (!read.ok()) {
    std::error_code ignored;
    const bool is_file = std::filesystem::is_regular_file(options.generator, ignored);
    if (!is_file || read.error().code != ErrorCode::kBadInput) return read.error();
    // A file that cannot be read as a generator has failed, as one with a wrong digest has.
    return VerificationFailed(read.error().message, "get the file again from where it was published");
  }
  const GeneratorFile& file = *read;
  VerificationTrust trust;
  if (!options.trust.empty()) {
    SYNOD_ASSIGN_OR_RETURN(trust, VerificationTrust::Load(options.trust));
  }
  SYNOD_ASSIGN_OR_RETURN(const VerifyReport report, VerifyWith(file, trust));
  CommandOutput output;
  output.data = report.ToJson();
  output.text = report.ToText();
  output.exit_code = report.ExitCode(options.allow_incomplete);
  return output;
}

}  // namespace synod
