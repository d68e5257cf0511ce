# Writes every numbered SQL file of a folder, with its SHA-256, into one C++ source.
# cmake -DFOLDER=<folder> -DOUTPUT=<file.cpp> -P embed_migrations.cmake
file(GLOB files ${FOLDER}/[0-9][0-9][0-9][0-9]_*.sql)
list(SORT files)
set(entries "")
set(expected 1)
foreach(path IN LISTS files)
  get_filename_component(name ${path} NAME_WE)
  string(SUBSTRING ${name} 0 4 digits)
  string(REGEX REPLACE "^0+" "" number ${digits})
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "migration ${name}: expected number ${expected}")
  endif()
  math(EXPR expected "${expected} + 1")
  file(SHA256 ${path} sha256)
  file(READ ${path} sql)
  string(APPEND entries "    {${number}, \"${name}\", \"${sha256}\", R\"qylon(${sql})qylon\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"storage/migrations.hpp\"

#include <array>

namespace qylon::storage {

std::span<const Migration> embedded_migrations() {
  static constexpr Migration kMigrations[] = {
${entries}  };
  return kMigrations;
}

}  // namespace qylon::storage
")
