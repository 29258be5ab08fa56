# The version and the names that packages repeat are the project's: cmake -DROOT=... -DVERSION=... -DDESCRIPTION=...
# -DPYTHON=python3 -DFOLDER=... -P names.cmake
cmake_minimum_required(VERSION 3.23...4.0)
include(${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake)
set(packaging ${ROOT}/cmake/packaging)
function(wants_text file)
  file(READ ${ROOT}/${file} text)
  foreach(wanted IN LISTS ARGN)
    string(FIND "${text}" "${wanted}" place)
    if(place EQUAL -1)
      message(SEND_ERROR "${file} does not say '${wanted}'")
    endif()
  endforeach()
endfunction()

# The numbers of version.hpp and the text that CMakeLists.txt reads there.
string(REPLACE "." ";" numbers ${VERSION})
set(parts MAJOR MINOR PATCH)
foreach(part number IN ZIP_LISTS parts numbers)
  wants_text(include/minrnn/version.hpp "#define MINRNN_VERSION_${part} ${number}\n")
endforeach()
wants_text(include/minrnn/version.hpp "#define MINRNN_VERSION_STRING \"${VERSION}\"\n")

file(READ ${packaging}/vcpkg/minrnn/vcpkg.json port)
foreach(key_wanted name=minrnn version=${VERSION} "description=${DESCRIPTION}" license=MIT)
  string(REGEX MATCH "^([a-z]+)=(.*)" key_wanted "${key_wanted}")
  set(key ${CMAKE_MATCH_1})
  set(wanted "${CMAKE_MATCH_2}")
  string(JSON is GET "${port}" ${key})
  wants("${is}" "${wanted}" "${key} of vcpkg.json")
endforeach()
string(JSON io GET "${port}" features io dependencies 0)
string(JSON mpi GET "${port}" features mpi dependencies 0)
wants("${io} ${mpi}" "nlohmann-json mpi" "What the features of vcpkg.json need")

wants_text(cmake/packaging/conan/conanfile.py "name = \"minrnn\"\n" "description = \"${DESCRIPTION}\"\n"
           "license = \"MIT\"\n")
wants_text(cmake/packaging/README.md "minrnn/${VERSION}" "libminrnn-dev_${VERSION}_all.deb" "minrnn-${VERSION}.tar.gz")
wants_text(.github/CITATION.cff "\nversion: ${VERSION}\n")
wants_text(.github/CHANGELOG.md "\n## ${VERSION}")

# The recipe finds the version by the expression that it has.
if(EXISTS "${PYTHON}")
  file(WRITE ${FOLDER}/recipe.py "import re, sys, types
loaded = types.ModuleType('conan')
loaded.ConanFile = object
sys.modules['conan'] = loaded
for name, functions in (('build', ('check_min_cppstd', 'can_run')), ('files', ('copy', 'load')),
                        ('cmake', ('CMake', 'CMakeToolchain', 'cmake_layout'))):
    module = types.ModuleType('conan.tools.' + name)
    for function in functions:
        setattr(module, function, None)
    sys.modules['conan.tools.' + name] = module
folder = sys.argv[1]
for file in ('test_package/conanfile.py', 'conanfile.py'):
    recipe = {}
    with open(folder + '/' + file) as text:
        exec(compile(text.read(), file, 'exec'), recipe)
def load(self, path):
    with open(path) as text:
        return text.read()
recipe['load'] = load
package = recipe['Minrnn']()
package.recipe_folder = folder
package.set_version()
print(package.version)
")
  execute_process(COMMAND ${PYTHON} ${FOLDER}/recipe.py ${packaging}/conan OUTPUT_VARIABLE output
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  wants("${output}" "${VERSION}" "The version of conanfile.py")
endif()
