<?php
/**
 * Plugin Name:       Intresse
 * Description:       The broker's lead forms: interest in a home, viewings, valuations and final prices, as a block and a shortcode. Visitors' data goes to your Intresse service and is never stored in WordPress.
 * Version:           1.0.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * Text Domain:       intresse
 * Domain Path:       /languages
 *
 * @package Intresse
 */

defined( 'ABSPATH' ) || exit;

const INTRESSE_VERSION = '1.0.0';
const INTRESSE_FILE    = __FILE__;

require_once __DIR__ . '/includes/settings.php';
require_once __DIR__ . '/includes/forms.php';
require_once __DIR__ . '/includes/render.php';
require_once __DIR__ . '/includes/block.php';
require_once __DIR__ . '/includes/settings-page.php';

add_action(
	'init',
	static function () {
		load_plugin_textdomain( 'intresse', false, dirname( plugin_basename( INTRESSE_FILE ) ) . '/languages' );
	},
	1
);
