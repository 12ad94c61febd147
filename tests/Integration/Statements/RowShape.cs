using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LocalPlus.Giftcard;
using LocalPlus.Hosting;

namespace LocalPlus.Tests.Integration.Statements;

/// <summary>A column as PostgreSQL describes it and Npgsql reads it.</summary>
/// <param name="MayBeNull">It is a table's, and no promise of that table says that it never is.</param>
internal readonly record struct Column(string Name, Type Type, bool MayBeNull = false);

/// <summary>Whether Dapper can make a row of these columns, by its own rules.</summary>
internal static partial class RowShape
{
    private static readonly Dictionary<string, Type> Keywords = new(StringComparer.Ordinal)
    {
        ["bool"] = typeof(bool),
        ["byte[]"] = typeof(byte[]),
        ["int"] = typeof(int),
        ["long"] = typeof(long),
        ["short"] = typeof(short),
        ["string"] = typeof(string),
    };

    /// <summary>What Dapper would refuse or leave empty when it reads these columns as a row.</summary>
    /// <param name="row">A type's name as it is written there.</param>
    public static IEnumerable<string> Faults(Statement statement, string row, Column[] columns)
    {
        if (row.StartsWith('('))
        {
            var members = Inside().Replace(row[1..^1], "").Count(letter => letter == ',') + 1;
            return members == columns.Length ? [] : [$"{row} has {members} members of {columns.Length} columns"];
        }

        return Find(statement, row) is { } type ? FaultsOf(type, columns) : [$"the service has no type {row}"];
    }

    /// <summary>The type that a name means inside the owner of a statement.</summary>
    private static Type? Find(Statement statement, string name)
    {
        var plain = name.TrimEnd('?');
        if (Keywords.TryGetValue(plain, out var keyword))
        {
            return keyword;
        }

        if (Generic().Match(plain) is { Success: true } text)
        {
            return Find(statement, text.Groups[1].Value) is { } of ? typeof(EnumText<>).MakeGenericType(of) : null;
        }

        var owner = statement.Owner;
        var last = plain.Split('.')[^1];
        var all = owner
            .Assembly.GetTypes()
            .Concat(
                owner
                    .Assembly.GetReferencedAssemblies()
                    .Where(a => a.Name!.StartsWith("LocalPlus.", StringComparison.Ordinal))
                    .SelectMany(a => Assembly.Load(a).GetTypes())
            )
            .Concat([typeof(Guid), typeof(DateTimeOffset), typeof(DateOnly)]);
        return all.Where(type => type.Name == last)
            .OrderByDescending(type => type.DeclaringType == owner)
            .ThenByDescending(type => plain.Contains('.') && type.DeclaringType?.Name == plain.Split('.')[^2])
            .ThenByDescending(type => type.Namespace == owner.Namespace && type.DeclaringType is null)
            .FirstOrDefault();
    }

    private static IEnumerable<string> FaultsOf(Type row, Column[] columns)
    {
        if (IsScalar(row))
        {
            return columns.Length == 1
                ? FaultsOf(row.Name, row, columns[0].Type, widens: true)
                : [$"{row.Name} is one value, there are {columns.Length} columns"];
        }

        if (row.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRowOfParts<>)))
        {
            return OfParts(row, (string)row.GetProperty("SplitOn")!.GetValue(null)!, columns);
        }

        var properties = row.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(p => p.SetMethod is not null && !p.IsDefined(typeof(CompilerGeneratedAttribute)))
            .ToArray();
        return row.GetConstructor(Type.EmptyTypes) is null
            ? OfConstructor(row, columns)
            : OfProperties(row, properties, columns);
    }

    /// <summary>
    /// Each part has the columns that follow those of the part before. Where it begins is said by a name that no other
    /// column has, and by that column's value Dapper knows whether the part is there.
    /// </summary>
    internal static IEnumerable<string> OfParts(Type row, string splitOn, Column[] columns)
    {
        var splits = splitOn.Split(',', StringSplitOptions.TrimEntries);
        var parts = Members(row);
        if (splits.Length != parts.Length - 1)
        {
            return [$"{row.Name} has {parts.Length} parts and is split on {splits.Length} columns"];
        }

        var widths = Array.ConvertAll(parts, part => Members(part.ParameterType).Length);
        if (widths.Sum() != columns.Length)
        {
            return [$"{row.Name} has {widths.Sum()} members in its parts, there are {columns.Length} columns"];
        }

        var ends = widths.Select((_, n) => widths.Take(n + 1).Sum()).ToArray();
        return
        [
            .. parts.SelectMany(
                (part, n) => OfConstructor(part.ParameterType, columns[(ends[n] - widths[n])..ends[n]])
            ),
            .. splits.SelectMany(
                (split, n) => OfBeginning($"{row.Name}.{parts[n + 1].Name}", parts[n + 1], columns[ends[n]], split)
            ),
            .. splits
                .Where(split => columns.Count(column => column.Name == split) != 1)
                .Select(split => $"{row.Name} is split on {split}, which is not the name of one column"),
        ];
    }

    /// <summary>A part that may be missing is so when its first column is null, and any other never is.</summary>
    private static IEnumerable<string> OfBeginning(string name, ParameterInfo part, Column first, string split)
    {
        if (first.Name != split)
        {
            yield return $"{name} begins with the column {first.Name}, and is split on {split}";
        }

        if (MayBeNull(Members(part.ParameterType)[0]))
        {
            yield return $"{name} begins with a member that may be null, which Dapper takes for a part that is missing";
        }

        if (first.MayBeNull && !MayBeNull(part))
        {
            yield return $"{name} would be missing where {first.Name} is null";
        }
    }

    private static bool MayBeNull(ParameterInfo parameter) =>
        new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;

    /// <summary>What the constructor that Dapper takes is given.</summary>
    private static ParameterInfo[] Members(Type row) =>
        row.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(c => c.GetParameters() is not [{ } only] || only.ParameterType != row)
            .MaxBy(c => c.GetParameters().Length)
            ?.GetParameters()
        ?? [];

    /// <summary>Dapper takes the constructor whose parameters are the columns, in their order.</summary>
    private static IEnumerable<string> OfConstructor(Type row, Column[] columns)
    {
        var parameters = Members(row);
        if (!parameters.Select(p => Plain(p.Name!)).SequenceEqual(columns.Select(c => Plain(c.Name))))
        {
            return
            [
                $"{row.Name} wants ({string.Join(", ", parameters.Select(p => p.Name))}), the columns are "
                    + $"({string.Join(", ", columns.Select(c => c.Name))})",
            ];
        }

        return parameters
            .Zip(columns)
            .SelectMany(p =>
                FaultsOf($"{row.Name}.{p.First.Name}", p.First.ParameterType, p.Second.Type, widens: false)
            );
    }

    /// <summary>Each column has a member, and what must be set has a column.</summary>
    private static IEnumerable<string> OfProperties(Type row, PropertyInfo[] properties, Column[] columns)
    {
        var byName = properties.ToLookup(p => Plain(p.Name));
        foreach (var column in columns)
        {
            if (byName[Plain(column.Name)].FirstOrDefault() is not { } property)
            {
                yield return $"{row.Name} has no member for the column {column.Name}";
                continue;
            }

            foreach (
                var fault in FaultsOf($"{row.Name}.{property.Name}", property.PropertyType, column.Type, widens: true)
            )
            {
                yield return fault;
            }
        }

        foreach (var property in properties.Where(p => p.IsDefined(typeof(RequiredMemberAttribute))))
        {
            if (!columns.Any(c => Plain(c.Name) == Plain(property.Name)))
            {
                yield return $"{row.Name}.{property.Name} is required, and there is no such column";
            }
        }
    }

    private static IEnumerable<string> FaultsOf(string member, Type type, Type column, bool widens)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        var fits =
            plain == column
            || (plain.IsArray && column == typeof(Array))
            || plain == typeof(object)
            || (plain.IsEnum && (column == typeof(string) || column == Enum.GetUnderlyingType(plain)))
            || (plain == typeof(DateTimeOffset) && column == typeof(DateTime))
            || (IsId(plain) && column == typeof(Guid))
            || (IsText(plain) && column == typeof(string))
            || (widens && IsNumber(plain) && IsNumber(column));
        return fits ? [] : [$"{member} is a {plain.Name}, its column a {column.Name}"];
    }

    private static bool IsScalar(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain.IsPrimitive
            || plain.IsEnum
            || plain == typeof(string)
            || plain == typeof(byte[])
            || plain == typeof(Guid)
            || plain == typeof(DateTimeOffset)
            || plain == typeof(DateOnly)
            || IsId(plain)
            || IsText(plain);
    }

    private static bool IsId(Type type) => type.GetInterfaces().Any(i => i.Name == "IId`1");

    /// <summary>An enum that stands there as text, and for which a handler is registered.</summary>
    private static bool IsText(Type type) =>
        type.IsGenericType
        && type.GetGenericTypeDefinition() == typeof(EnumText<>)
        && type.GetGenericArguments()[0].IsDefined(typeof(StoredAsTextAttribute), inherit: false);

    private static bool IsNumber(Type type) => type == typeof(short) || type == typeof(int) || type == typeof(long);

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>What is between the brackets of a type argument or an inner tuple.</summary>
    [GeneratedRegex(@"<[^<>]*>|\([^()]*\)")]
    private static partial Regex Inside();

    [GeneratedRegex(@"^EnumText<(\w+)>$")]
    private static partial Regex Generic();
}
