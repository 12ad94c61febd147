namespace LocalPlus.Client.Output;

/// <summary>How data is printed.</summary>
internal enum OutputFormat
{
    /// <summary>For people; plain lines where nobody looks.</summary>
    Table,

    /// <summary>As the API said it.</summary>
    Json,

    /// <summary>For a spreadsheet: RFC 4180 with line feeds.</summary>
    Csv,

    /// <summary>A JSON object a line.</summary>
    Lines,
}
