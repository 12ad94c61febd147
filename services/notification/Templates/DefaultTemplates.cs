using System.Collections.Frozen;
using System.Text;
using System.Text.RegularExpressions;

namespace LocalPlus.Notification.Templates;

/// <summary>
/// The templates that a merchant has without writing any, from the files in defaults/: subject, paragraphs of text,
/// and where there is more of it HTML below them. The HTML around them is one frame for all.
/// </summary>
internal static partial class DefaultTemplates
{
    private const string Folder = "templates/";
    private const string Mark = "=== ";
    private static readonly FrozenDictionary<(string Kind, string Locale), TemplateText> All = Load();

    /// <summary>Throws <see cref="KeyNotFoundException"/> for a kind without template.</summary>
    public static TemplateText Of(string kind, string locale) => All[(kind, TemplateKinds.LocaleOf(locale))];

    private static FrozenDictionary<(string, string), TemplateText> Load()
    {
        var frame = Resource("frame.html");
        var all = new Dictionary<(string, string), TemplateText>();
        foreach (var locale in TemplateKinds.Locales)
        {
            var foot = Sections(Resource($"foot.{locale}.liquid"));
            foreach (var kind in NotificationKinds.WithTemplates)
            {
                all[(kind, locale)] = Compose(Sections(Resource($"{kind}.{locale}.liquid")), foot, frame, locale);
            }
        }

        return all.ToFrozenDictionary();
    }

    private static TemplateText Compose(
        Dictionary<string, string> parts,
        Dictionary<string, string> foot,
        string frame,
        string locale
    )
    {
        var (subject, text) = (parts[""], parts["text"]);
        var body = new StringBuilder();
        foreach (var paragraph in text.Split("\n\n"))
        {
            // A paragraph that may be missing takes its element with it.
            var optional = Optional().Match(paragraph);
            body.Append(
                optional.Success
                    ? $"{optional.Groups[1].Value}<p>{optional.Groups[2].Value}</p>{{% endif %}}\n"
                    : $"<p>{paragraph}</p>\n"
            );
        }

        var html = frame
            .Replace("%LANG%", locale, StringComparison.Ordinal)
            .Replace("%SUBJECT%", subject, StringComparison.Ordinal)
            .Replace("%BODY%", $"{body}{parts.GetValueOrDefault("html")}".TrimEnd(), StringComparison.Ordinal)
            .Replace("%FOOT%", foot["html"], StringComparison.Ordinal);
        return new(subject, html, $"{text}\n\n{foot[""]}", parts.GetValueOrDefault("sms"));
    }

    /// <summary>The parts of a file by their name; what comes first has none.</summary>
    private static Dictionary<string, string> Sections(string file)
    {
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        var (name, lines) = ("", new List<string>());
        foreach (var line in file.Split('\n'))
        {
            if (line.StartsWith(Mark, StringComparison.Ordinal))
            {
                parts[name] = string.Join('\n', lines).Trim();
                (name, lines) = (line[Mark.Length..], []);
            }
            else
            {
                lines.Add(line);
            }
        }

        parts[name] = string.Join('\n', lines).Trim();
        return parts;
    }

    private static string Resource(string name)
    {
        using var stream =
            typeof(DefaultTemplates).Assembly.GetManifestResourceStream(Folder + name)
            ?? throw new InvalidOperationException($"The service lacks its template {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    [GeneratedRegex(@"\A(\{% if [a-z_0-9]+ %\})((?:(?!\{% (?:if|else)).)*)\{% endif %\}\z", RegexOptions.Singleline)]
    private static partial Regex Optional();
}
