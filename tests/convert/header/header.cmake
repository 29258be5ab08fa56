# Headers that convert makes of checkpoints: a program takes them and steps with the bits of the layers, and they hold
# what a program that has the layers writes.
set(headers ${CMAKE_CURRENT_BINARY_DIR}/convert_headers)
file(MAKE_DIRECTORY ${headers})
add_executable(convert_nets ${CMAKE_CURRENT_LIST_DIR}/nets.cpp)
set(commands COMMAND convert_nets ${headers})
set(written "")
foreach(name pedal every every_double)
  list(APPEND commands COMMAND convert header ${headers}/${name}.safetensors -o ${headers}/${name}.hpp --overwrite)
  list(APPEND written ${headers}/${name}.hpp)
  foreach(format int8 bf16)
    set(header ${headers}/${name}_${format}.hpp)
    list(APPEND commands COMMAND convert header ${headers}/${name}.safetensors -o ${header} --weights ${format}
                                 --overwrite)
    list(APPEND written ${header})
  endforeach()
endforeach()
add_custom_command(OUTPUT ${written} ${commands} DEPENDS convert_nets convert COMMENT "Writing weights as headers"
                   VERBATIM)
add_executable(convert_header_test ${CMAKE_CURRENT_LIST_DIR}/compare.cpp ${written})
target_include_directories(convert_header_test PRIVATE ${headers})
foreach(target convert_nets convert_header_test)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
endforeach()
target_link_libraries(convert_nets PRIVATE minrnn::io minrnn_dev)
target_link_libraries(convert_header_test PRIVATE minrnn_dev)
add_test(NAME convert.header COMMAND convert_header_test)
add_test(NAME convert.header_of_every_cell
         COMMAND ${CMAKE_COMMAND} -DFOLDER=${headers} -P ${CMAKE_CURRENT_LIST_DIR}/same.cmake)
