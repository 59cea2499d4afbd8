# SPDX-License-Identifier: BSD-2-Clause
# cmake -DOUT=flows.c -DFILES="a.flow;b.flow" -P embed.cmake: files as C text, a row each.
set(rows "")
set(texts "")
set(i 0)
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND texts "static const unsigned char text_${i}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${name}\", (const char *)text_${i}, sizeof text_${i}},\n")
    math(EXPR i "${i} + 1")
endforeach()
file(WRITE ${OUT} "/* made by cmake/embed.cmake */\n#include \"flow/library.h\"\n\n${texts}\nconst struct dt_flow_file dt_flow_files[] = {\n${rows}};\nconst size_t dt_flow_files_n = ${i};\n")
