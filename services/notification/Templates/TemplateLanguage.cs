using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Fluid;
using Fluid.Values;

namespace LocalPlus.Notification.Templates;

/// <summary>A value in a template.</summary>
/// <param name="Markup">What stands for it in HTML; null: the text, encoded.</param>
internal readonly record struct TemplateValue(string Text, string? Markup = null);

/// <summary>Something is wrong with a part of a template.</summary>
/// <param name="Code">Stable: see the refusal template_invalid.</param>
internal sealed record TemplateProblem(string Code, string Detail);

/// <summary>A rendering took more steps, or came out longer, than it may.</summary>
internal sealed class TemplateTooCostlyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Liquid as templates may use it: values, conditions and a few filters. There are no loops, no assignments, no other
/// files and no way round the encoding of values, so that a rendering ends, and what people wrote stays text.
/// </summary>
internal static class TemplateLanguage
{
    private static readonly string[] Tags = ["case", "if", "unless"];
    private static readonly TextEncoder Markup = HtmlEncoder.Create(UnicodeRanges.All);
    private static readonly FluidParser Parser = NewParser();
    private static readonly TemplateOptions Options = NewOptions();

    public static IEnumerable<string> Filters => Options.Filters.Select(filter => filter.Key);

    /// <summary>What is wrong with a part before anybody renders it; null: nothing.</summary>
    /// <param name="variables">The names that there are.</param>
    public static TemplateProblem? Problem(string source, IReadOnlySet<string> variables, bool isHtml)
    {
        if (TemplateShape.Problem(source, isHtml) is { } shape)
        {
            return shape;
        }

        if (!Parser.TryParse(source, out var template, out var error))
        {
            return new("syntax", error);
        }

        var names = new TemplateNames(variables, Filters.ToHashSet(StringComparer.Ordinal));
        names.VisitTemplate(template);
        return names.Problem;
    }

    /// <summary>
    /// The part with its values. Throws <see cref="TemplateTooCostlyException"/>, and
    /// <see cref="FormatException"/> for what <see cref="Problem"/> would have refused.
    /// </summary>
    public static string Render(string source, IReadOnlyDictionary<string, TemplateValue> values, bool isHtml)
    {
        if (TemplateShape.Problem(source, isHtml) is { } problem)
        {
            throw new FormatException(problem.Detail);
        }

        if (!Parser.TryParse(source, out var template, out var error))
        {
            throw new FormatException(error);
        }

        var context = new TemplateContext(Options);
        foreach (var (name, value) in values)
        {
            context.SetValue(
                name,
                isHtml && value.Markup is { } markup
                    ? new StringValue(markup, encode: false)
                    : new StringValue(value.Text)
            );
        }

        context.SetValue(IsHtml, BooleanValue.Create(isHtml));
        string rendered;
        try
        {
            rendered = template.Render(context, isHtml ? Markup : NullEncoder.Default, isolateContext: false);
        }
        catch (InvalidOperationException limit)
        {
            throw new TemplateTooCostlyException("The template takes too many steps.", limit);
        }

        return rendered.Length <= TemplateLimits.RenderedLength
            ? rendered
            : throw new TemplateTooCostlyException("What the template makes is too long.");
    }

    /// <summary>For the filters; no template can name it.</summary>
    private const string IsHtml = "is html";

    private static FluidParser NewParser()
    {
        var parser = new FluidParser();
        foreach (var tag in parser.RegisteredTags.Keys.Except(Tags, StringComparer.Ordinal).ToArray())
        {
            parser.RegisteredTags.Remove(tag);
        }

        return parser;
    }

    private static TemplateOptions NewOptions()
    {
        var options = new TemplateOptions
        {
            MaxSteps = TemplateLimits.Steps,
            MaxRecursion = TemplateLimits.Depth,
            CultureInfo = CultureInfo.InvariantCulture,
        };
        options.Filters.Clear();
        Add("capitalize", text => text is [var first, .. var rest] ? $"{char.ToUpperInvariant(first)}{rest}" : text);
        Add("downcase", text => text.ToLowerInvariant());
        Add("upcase", text => text.ToUpperInvariant());
        options.Filters.AddFilter(
            "default",
            (input, arguments, _) => input.ToStringValue().Length == 0 ? arguments.At(0) : input
        );
        options.Filters.AddFilter("lines", (input, _, context) => Lines(input, context));
        options.Filters.AddFilter(
            "truncate",
            (input, arguments, _) =>
            {
                var text = new StringInfo(input.ToStringValue());
                var length = (int)Math.Clamp(arguments.At(0).ToNumberValue(), 1, TemplateLimits.TextLength);
                return text.LengthInTextElements <= length
                    ? new StringValue(text.String)
                    : new StringValue(text.SubstringByTextElements(0, length - 1) + "…");
            }
        );
        return options;

        void Add(string name, Func<string, string> change) =>
            options.Filters.AddFilter(name, (input, _, _) => new StringValue(change(input.ToStringValue())));
    }

    /// <summary>A text that may have several lines; in HTML each is encoded and ends with a br.</summary>
    private static ValueTask<FluidValue> Lines(FluidValue input, TemplateContext context)
    {
        var text = input.ToStringValue().ReplaceLineEndings("\n");
        if (!context.GetValue(IsHtml).ToBooleanValue())
        {
            return new StringValue(text);
        }

        var lines = text.Split('\n').Select(Markup.Encode);
        return new StringValue(string.Join("<br>\n", lines), encode: false);
    }
}
