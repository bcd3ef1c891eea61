{% materialization table, adapter='postgres' %}
    {{ return(build_in_place('table')) }}
{% endmaterialization %}
