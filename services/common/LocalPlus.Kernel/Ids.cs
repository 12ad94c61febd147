using System.Diagnostics.CodeAnalysis;

namespace LocalPlus.Kernel;

/// <summary>
/// An id: a UUID version 7 in SQL, "prefix_" and 26 base32 characters in text. Each kind is its own type, so an account
/// can not be passed where a card is meant.
/// </summary>
public interface IId<TSelf>
    where TSelf : struct, IId<TSelf>
{
    static abstract string Prefix { get; }

    Guid Value { get; }

    static abstract TSelf From(Guid value);
}

/// <summary>What all ids share: making, writing and reading them.</summary>
public static class Ids
{
    extension<TSelf>(TSelf)
        where TSelf : struct, IId<TSelf>
    {
        /// <summary>A new id; ids made later sort later.</summary>
        public static TSelf New(TimeProvider time) => TSelf.From(Guid.CreateVersion7(time.GetUtcNow()));

        /// <summary>Reads the text form; throws <see cref="FormatException"/> for anything else.</summary>
        public static TSelf Parse(string text) =>
            TryParse<TSelf>(text, out var id) ? id : throw new FormatException($"Not a {TSelf.Prefix}_ id.");
    }

    public static string Format<TSelf>(TSelf id)
        where TSelf : struct, IId<TSelf> => $"{TSelf.Prefix}_{Base32.Format(id.Value)}";

    public static bool TryParse<TSelf>([NotNullWhen(true)] string? text, out TSelf id)
        where TSelf : struct, IId<TSelf>
    {
        id = default;
        var prefix = TSelf.Prefix;
        if (
            text is null
            || text.Length != prefix.Length + 1 + Base32.GuidLength
            || !text.StartsWith(prefix, StringComparison.Ordinal)
            || text[prefix.Length] != '_'
            || !Base32.TryParse(text.AsSpan(prefix.Length + 1), out var value)
        )
        {
            return false;
        }

        id = TSelf.From(value);
        return true;
    }
}
