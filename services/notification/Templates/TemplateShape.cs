using System.Text.RegularExpressions;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// What is looked at before a template is parsed: nothing that a parser would run deep into, and in HTML no place
/// where an encoded value would still not be plain text.
/// </summary>
internal static partial class TemplateShape
{
    /// <summary>Values that are addresses of ours or checked ones, and may stand in a quoted attribute.</summary>
    private static readonly string[] InAttributes = ["support", "unsubscribe_url"];

    public static TemplateProblem? Problem(string source, bool isHtml)
    {
        var (depth, count) = (0, 0);
        foreach (Match tag in Braces().Matches(source))
        {
            count++;
            var word = tag.Groups["word"].Value;
            depth +=
                word is "if" or "unless" or "case" ? 1
                : word.StartsWith("end", StringComparison.Ordinal) ? -1
                : 0;
            if (depth > TemplateLimits.Depth)
            {
                return new("too_deep", $"Blocks stand in each other at most {TemplateLimits.Depth} deep.");
            }

            if (tag.Length > TemplateLimits.TagLength)
            {
                return new("tag_too_long", $"A tag has at most {TemplateLimits.TagLength} characters.");
            }
        }

        if (count > TemplateLimits.Tags)
        {
            return new("too_many_tags", $"There are at most {TemplateLimits.Tags} tags and values.");
        }

        if (!isHtml)
        {
            return null;
        }

        return Active().Match(source) is { Success: true } active
                ? new("element_not_allowed", $"No mail has {active.Groups[1].Value.ToLowerInvariant()} in it.")
            : HasValueWhereItIsNotText(source)
                ? new(
                    "value_in_tag",
                    $"In tags and styles stand no values, but {string.Join(" and ", InAttributes)} in quotes."
                )
            : null;
    }

    private static bool HasValueWhereItIsNotText(string html)
    {
        var (place, quote, at) = (Place.Text, '\0', 0);
        var styles = Style().Matches(html);
        foreach (Match braces in Braces().Matches(html))
        {
            for (; at < braces.Index; at++)
            {
                (place, quote) = Next(html, at, place, quote);
            }

            at = braces.Index + braces.Length;
            var isFine =
                braces.Value.StartsWith("{%", StringComparison.Ordinal)
                || place switch
                {
                    Place.Text => !styles.Any(s => s.Index < braces.Index && braces.Index < s.Index + s.Length),
                    Place.Quoted => InAttributes.Contains(braces.Groups["word"].Value, StringComparer.Ordinal)
                        && !braces.Value.Contains('|', StringComparison.Ordinal),
                    _ => false,
                };
            if (!isFine)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Where the character after this one stands.</summary>
    private static (Place Place, char Quote) Next(string html, int at, Place place, char quote) =>
        (place, html[at]) switch
        {
            (Place.Text, '<')
                when at + 1 < html.Length && (char.IsAsciiLetter(html[at + 1]) || html[at + 1] is '/' or '!') => (
                Place.Tag,
                '\0'
            ),
            (Place.Tag, var c and ('"' or '\'')) => (Place.Quoted, c),
            (Place.Tag, '>') => (Place.Text, '\0'),
            (Place.Quoted, var c) when c == quote => (Place.Tag, '\0'),
            _ => (place, quote),
        };

    private enum Place
    {
        Text,
        Tag,
        Quoted,
    }

    // To the nearest end; without one to the end of all, which is too long or no syntax.
    [GeneratedRegex(
        @"\{\{-?\s*(?<word>[a-z_0-9]*).*?(?:\}\}|\z)|\{%-?\s*(?<word>[a-z]*).*?(?:%\}|\z)",
        RegexOptions.Singleline
    )]
    private static partial Regex Braces();

    [GeneratedRegex(@"<\s*(script|iframe|object|embed|form|base|link|svg|math)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Active();

    [GeneratedRegex(@"<style\b.*?(?:</style|\z)", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Style();
}
