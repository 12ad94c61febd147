using System.Collections.Frozen;
using System.Data;
using Dapper;

namespace LocalPlus.Giftcard;

/// <summary>Its values stand in SQL as text in snake_case; rows and arguments have <see cref="EnumText{T}"/>.</summary>
[AttributeUsage(AttributeTargets.Enum)]
internal sealed class StoredAsTextAttribute : Attribute;

/// <summary>
/// A value of an enum that stands in SQL as text, for which Dapper asks no handler: it would write the enum itself as a
/// number. The text is the name in snake_case.
/// </summary>
internal readonly record struct EnumText<TEnum>(TEnum Value)
    where TEnum : struct, Enum
{
    private static readonly FrozenDictionary<TEnum, string> Texts = Enum.GetValues<TEnum>()
        .ToFrozenDictionary(value => value, Wire.Name);

    private static readonly FrozenDictionary<string, TEnum> Values = Texts.ToFrozenDictionary(
        pair => pair.Value,
        pair => pair.Key,
        StringComparer.Ordinal
    );

    public static implicit operator EnumText<TEnum>(TEnum value) => new(value);

    public static implicit operator TEnum(EnumText<TEnum> text) => text.Value;

    /// <summary>Reads what SQL has; throws <see cref="FormatException"/> for a text that is no name.</summary>
    public static EnumText<TEnum> Parse(string text) =>
        Values.TryGetValue(text, out var value)
            ? new(value)
            : throw new FormatException($"Not a {typeof(TEnum).Name}: {text}");

    public override string ToString() => Texts[Value];
}

/// <summary>How they travel between Dapper and PostgreSQL; registered once per process.</summary>
internal static class EnumTextHandlers
{
    public static void Register()
    {
        foreach (
            var stored in typeof(EnumTextHandlers)
                .Assembly.GetTypes()
                .Where(type => type.IsDefined(typeof(StoredAsTextAttribute), inherit: false))
        )
        {
            var text = typeof(EnumText<>).MakeGenericType(stored);
            SqlMapper.AddTypeHandler(text, Handler(typeof(TextHandler<>), stored));
            SqlMapper.AddTypeHandler(text.MakeArrayType(), Handler(typeof(TextsHandler<>), stored));
        }
    }

    private static SqlMapper.ITypeHandler Handler(Type handler, Type stored) =>
        (SqlMapper.ITypeHandler)Activator.CreateInstance(handler.MakeGenericType(stored))!;

    /// <summary>One value, or none.</summary>
    private sealed class TextHandler<TEnum> : SqlMapper.ITypeHandler
        where TEnum : struct, Enum
    {
        public object Parse(Type destinationType, object value) => EnumText<TEnum>.Parse((string)value);

        public void SetValue(IDbDataParameter parameter, object value)
        {
            parameter.DbType = DbType.String;
            parameter.Value = value is EnumText<TEnum> text ? text.ToString() : DBNull.Value;
        }
    }

    /// <summary>A column of them, as a text[].</summary>
    private sealed class TextsHandler<TEnum> : SqlMapper.TypeHandler<EnumText<TEnum>[]>
        where TEnum : struct, Enum
    {
        public override EnumText<TEnum>[] Parse(object value) =>
            Array.ConvertAll((string[])value, EnumText<TEnum>.Parse);

        public override void SetValue(IDbDataParameter parameter, EnumText<TEnum>[]? value) =>
            parameter.Value = Array.ConvertAll(value!, text => text.ToString());
    }
}
