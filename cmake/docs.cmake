# Writes the documentation as a site that needs no network: cmake [-DOUTPUT=build/docs] -P cmake/docs.cmake
# Fails where Doxygen has anything to say.
include(${CMAKE_CURRENT_LIST_DIR}/setup.cmake)
if(NOT OUTPUT)
  set(OUTPUT ${project_dir}/build/docs)
endif()
cmake_path(ABSOLUTE_PATH OUTPUT BASE_DIRECTORY ${project_dir} NORMALIZE OUTPUT_VARIABLE docs_dir)
set(docs_source_dir ${project_dir}/cmake/docs)
set(sources_dir ${docs_dir}/sources)

install_missing(doxygen=doxygen python3=python3)
find_program(doxygen doxygen NO_CACHE)
find_program(python NAMES python3 python NO_CACHE)
if(NOT doxygen OR NOT python)
  message(FATAL_ERROR "minrnn: the documentation needs Doxygen 1.9.4 or later and Python 3. Please install both")
endif()
# Doxygen starts it for each header: the program itself, not a script that looks for one.
execute_process(COMMAND ${python} -c "import sys; print(sys.executable)"
                OUTPUT_VARIABLE python OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

file(REMOVE_RECURSE ${docs_dir}/html ${sources_dir})
run("reading headers and pages" ${python} -B ${docs_source_dir}/sources.py ${project_dir} ${sources_dir})
file(STRINGS ${project_dir}/include/minrnn/version.hpp version REGEX "VERSION_STRING")
string(REGEX MATCH "[0-9.]+" version "${version}")
file(STRINGS ${sources_dir}/pages.txt pages)
file(STRINGS ${sources_dir}/images.txt images)
foreach(list pages images)
  list(TRANSFORM ${list} REPLACE "(.+)" "\"\\1\"")
  list(JOIN ${list} " " ${list})
endforeach()
configure_file(${docs_source_dir}/Doxyfile.in ${docs_dir}/Doxyfile @ONLY)
run("writing the site" ${doxygen} ${docs_dir}/Doxyfile)
say("the documentation is ${docs_dir}/html/index.html")
