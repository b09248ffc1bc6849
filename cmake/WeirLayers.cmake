# A layer is a folder. layer_NAME is its object library, present when the folder has a .c file.

# The lines of a file that match; when it changes, the next build reads it again.
function(weir_read out file regex)
    file(STRINGS ${file} lines REGEX "${regex}")
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    set(${out} "${lines}" PARENT_SCOPE)
endfunction()

# The parts that can be left out, and a definition for each of those that are.
weir_read(weir_parts ${PROJECT_SOURCE_DIR}/core/base/parts.h "^#define WEIR_HAS_")
list(TRANSFORM weir_parts REPLACE "^#define WEIR_HAS_([A-Z0-9_]+) .*" "\\1")
list(TRANSFORM weir_parts TOLOWER)

if(WEIR_WITHOUT STREQUAL "all")
    set(WEIR_WITHOUT ${weir_parts})
endif()

function(weir_without_definitions out)
    set(definitions)
    foreach(part ${ARGN})
        if(NOT part IN_LIST weir_parts)
            message(FATAL_ERROR "WEIR_WITHOUT: there is no part ${part} among ${weir_parts}")
        endif()
        string(TOUPPER ${part} name)
        list(APPEND definitions WEIR_HAS_${name}=0)
    endforeach()
    set(${out} ${definitions} PARENT_SCOPE)
endfunction()

weir_without_definitions(without_definitions ${WEIR_WITHOUT})
target_compile_definitions(weir_core_flags INTERFACE ${without_definitions})

# Puts folder/without/PART.c in the place of the files that it names. Its functions have little to
# do with what they are given.
function(weir_leave_out sources folder)
    set(files ${${sources}})
    file(GLOB stand_ins CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/without/*.c)
    foreach(part ${ARGN})
        set(absent ${PROJECT_SOURCE_DIR}/${folder}/without/${part}.c)
        if(absent IN_LIST stand_ins)
            weir_read(replaced ${absent} "In place of: ")
            string(REGEX REPLACE ".*In place of: " "" replaced "${replaced}")
            separate_arguments(replaced)
            list(TRANSFORM replaced PREPEND ${PROJECT_SOURCE_DIR}/${folder}/)
            list(REMOVE_ITEM files ${replaced})
            list(APPEND files ${absent})
            set_source_files_properties(${absent} PROPERTIES COMPILE_OPTIONS -Wno-unused-parameter)
        endif()
    endforeach()
    set(${sources} ${files} PARENT_SCOPE)
endfunction()

# The .c files directly in a folder, without WEIR_WITHOUT and the parts given; a new file is
# noticed by the next build.
function(weir_sources out folder)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
    if(folder STREQUAL "core/cc" AND WEIR_CC_REGISTRY)
        list(FILTER found EXCLUDE REGEX "/core/cc/registry\\.c$")
        list(APPEND found ${WEIR_CC_REGISTRY})
    endif()
    weir_leave_out(found ${folder} ${WEIR_WITHOUT} ${ARGN})
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# What the unit tests of a layer are linked with: the layer and those below it; default: all.
set(below_base base)
set(below_wire base wire)
set(below_cc base cc)
set(below_tcp base wire cc tcp)
set(below_udp base wire udp)
set(below_ip base wire ip)
set(below_stack base wire cc tcp udp ip stack)
set(below_sim base wire cc tcp udp ip stack format sim)

function(weir_layer name folder flags)
    weir_sources(sources ${folder})
    if(sources)
        add_library(layer_${name} OBJECT ${sources})
        target_link_libraries(layer_${name} PRIVATE ${flags})
        target_compile_options(layer_${name} PRIVATE ${lto_flags})
    endif()
endfunction()

function(weir_core_layer name folder)
    weir_layer(${name} ${folder} weir_core_flags)
    if(TARGET layer_${name})
        target_compile_options(layer_${name} PRIVATE ${weir_pure_options})
    endif()
endfunction()

function(weir_outer_layer name folder)
    weir_layer(${name} ${folder} weir_outer_flags)
endfunction()

# The objects of those of the named layers that exist.
function(weir_objects out)
    set(objects)
    foreach(name ${ARGN})
        if(TARGET layer_${name})
            list(APPEND objects $<TARGET_OBJECTS:layer_${name}>)
        endif()
    endforeach()
    set(${out} ${objects} PARENT_SCOPE)
endfunction()
