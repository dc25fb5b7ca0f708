#include "common/core/program_output.h"

#include <cstdio>
#include <exception>

namespace synod {
namespace {

constexpr int kJsonSchemaVersion = 1;

}  // namespace

void PrintJsonLine(const Json& json) {
  std::fprintf(stdout, "%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

int PrintError(const char* program, const Error& error, ProgramFormat format) {
  const int code = static_cast<int>(error.code);
  if (format == ProgramFormat::kText) {
    std::fprintf(stderr, "%s: %s\n", program, error.message.c_str());
    if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
    return code;
  }
  PrintJsonLine(
      {{"schema_version", kJsonSchemaVersion},
       {"status", "error"},
       {"exit_code", code},
       {"error",
        {{"code", std::string(ErrorCodeName(error.code))}, {"message", error.message}, {"hint", error.hint}}}});
  return code;
}

int PrintResult(const char* program, const std::string& text, const Json& data, int exit_code, ProgramFormat format) {
  if (format == ProgramFormat::kText) {
    std::fputs(text.c_str(), stdout);
  } else {
    PrintJsonLine({{"schema_version", kJsonSchemaVersion},
                   {"status", exit_code == 0 ? "ok" : "error"},
                   {"exit_code", exit_code},
                   {"data", data}});
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return PrintError(program, Failed("cannot write to stdout"), ProgramFormat::kText);
  }
  return exit_code;
}

int RunGuarded(const char* program, int (*body)(int argc, char** argv), int argc, char** argv) {
  try {
    return body(argc, argv);
  } catch (const std::exception&) {
    std::fprintf(stderr, "%s: internal error: an exception reached the end of the program\n", program);
    return static_cast<int>(ErrorCode::kInternal);
  }
}

}  // namespace synod
