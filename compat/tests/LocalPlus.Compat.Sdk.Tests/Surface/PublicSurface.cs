using System.Globalization;
using System.Reflection;

namespace LocalPlus.Compat.Sdk.Tests.Surface;

/// <summary>What an assembly offers to others, a line a member: names, types, parameter names and default values.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // Made by the compiler for records, or the same for every type.
    private static readonly string[] Implied =
        ["<Clone>$", "Deconstruct", "EqualityContract", "Equals", "Finalize", "GetHashCode", "GetObjectData", "PrintMembers", "ToString"];

    public static IEnumerable<string> Of(Assembly assembly) =>
        assembly.GetExportedTypes().SelectMany(type => Members(type).Prepend("").Select(member => $"{Name(type, full: true)} {member}".TrimEnd()));

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)}");
        }

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            return [Signature(type.GetMethod("Invoke")!)];
        }

        var constructors = type.GetConstructors(Declared).Where(Visible).Where(c => !IsCopy(c, type))
            .Select(c => $"new({Parameters(c)})");
        var fields = type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily).Select(f => $"{Name(f.FieldType)} {f.Name}");
        var properties = type.GetProperties(Declared).Where(p => !Implied.Contains(p.Name)).SelectMany(Accessors);
        var methods = type.GetMethods(Declared).Where(Visible).Where(m => !m.IsSpecialName && !Implied.Contains(m.Name)).Select(Signature);
        return constructors.Concat(fields).Concat(properties).Concat(methods);
    }

    private static IEnumerable<string> Accessors(PropertyInfo property)
    {
        if (property.GetMethod is { } get && Visible(get))
        {
            yield return $"{Name(property.PropertyType)} {property.Name} get";
        }

        if (property.SetMethod is { } set && Visible(set))
        {
            var init = set.ReturnParameter.GetRequiredCustomModifiers().Length > 0;
            yield return $"{Name(property.PropertyType)} {property.Name} {(init ? "init" : "set")}";
        }
    }

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsCopy(ConstructorInfo constructor, Type type) =>
        constructor.GetParameters() is [var only] && only.ParameterType == type && !constructor.IsPublic;

    private static string Signature(MethodInfo method)
    {
        var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(t => t.Name))}>" : "";
        return $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}{generic}({Parameters(method)})";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(
        p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {Default(p)}" : "")}"));

    private static string Default(ParameterInfo parameter) => parameter.RawDefaultValue switch
    {
        null => "default",
        IFormattable { } value when !parameter.ParameterType.IsEnum => value.ToString(null, CultureInfo.InvariantCulture),
        var value => value.ToString()!,
    };

    private static string Name(Type type, bool full = false)
    {
        if (type.IsByRef || type.IsArray)
        {
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "&");
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        var outer = type.IsNested ? $"{Name(type.DeclaringType!)}." : "";
        var name = type.Name.Split('`')[0];
        var arguments = type.IsGenericType ? $"<{string.Join(", ", type.GetGenericArguments().Select(t => Name(t)))}>" : "";
        return $"{(full ? $"{type.Namespace}." : "")}{outer}{name}{arguments}";
    }
}
